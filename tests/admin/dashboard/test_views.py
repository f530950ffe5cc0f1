"""The plain page at the top of the admin, and stopping a request from it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.core.errors import StoppedByOperator
from inference.core.events import Accepted
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.pool import Pool
from inference.serving.active_requests import STREAMS
from inference.serving.generation import stream
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of, signed_in

# The pool's loop writes from a thread of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
INDEX, STOP = reverse("admin:index"), reverse("stop-request")
QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


class Asking:
    """A request under way on a loop of its own, as Daphne has it beside the admin's sync views."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.accepted = threading.Event()
        self.outcome = asyncio.run_coroutine_threadsafe(self._read(), loop)

    async def _read(self) -> str:
        try:
            async with aclosing(stream(QUESTION, Principal(kind="user", name="bob"))) as events:
                async for event in events:
                    if isinstance(event, Accepted):
                        self.accepted.set()
        except StoppedByOperator as error:
            return error.message
        return "ended"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def pool(loop: asyncio.AbstractEventLoop) -> Iterator[Pool]:
    with serving(FakeRunner(hold=asyncio.Event()), cards=[card("tiny")]) as pool:
        yield pool
        asyncio.run_coroutine_threadsafe(pool.close(), loop).result(5)


@pytest.fixture
def asking(pool: Pool, loop: asyncio.AbstractEventLoop) -> Asking:
    asking = Asking(loop)
    assert asking.accepted.wait(5)
    return asking


@pytest.fixture
def operator() -> Client:
    return client_of("ann", "view_servedmodel", "run_servedmodel")


def page(client: Client) -> str:
    return client.get(INDEX).content.decode()


def stop(client: Client, stream: str = "", **headers: str) -> Any:
    return client.post(STOP, {"stream": stream or STREAMS.snapshot()[0].id}, headers=headers)


def test_the_admin_begins_with_the_dashboard(pool: Pool, operator: Client) -> None:
    text = page(operator)
    assert 'id="dashboard"' in text
    assert "No requests are waiting." in text
    assert text.index('id="dashboard"') < text.index('id="content-main"')
    assert 'data-key="tiny"' in text


def test_the_list_of_requests_shows_those_in_progress_and_stops_them(asking: Asking) -> None:
    requests = reverse("admin:inference_requestrecord_changelist")
    assert "bob" not in client_of("eve", "view_requestrecord").get(requests).content.decode()
    root = signed_in(User.objects.create_superuser("root"))
    number = STREAMS.snapshot()[0].id
    assert f'name="stream" value="{number}"' in root.get(requests).content.decode()
    assert root.post(STOP, {"stream": number, "next": "requests"}).headers["Location"] == requests
    assert "stopped this request" in asking.outcome.result(5)


def test_a_request_under_way_is_shown_with_its_button(asking: Asking, operator: Client) -> None:
    text = page(operator)
    assert "bob" in text and f'value="{STREAMS.snapshot()[0].id}"' in text


def test_looking_starts_nothing(pool: Pool, operator: Client) -> None:
    page(operator)
    assert pool.snapshot().models == ()


def test_a_load_has_its_bar(pool: Pool, operator: Client, loop: asyncio.AbstractEventLoop) -> None:
    assert '<rect data-part="free" x="0" y="0" width="1000"' in page(operator)
    asyncio.run_coroutine_threadsafe(pool.load("tiny"), loop).result(5)
    assert '<rect data-part="weights" x="0" y="0" width="100"' in page(operator)


def test_staff_without_the_right_sees_the_admin_alone(pool: Pool) -> None:
    text = page(client_of("eve"))
    assert 'id="dashboard"' not in text and "Recent actions" in text


def test_a_user_that_may_act_sees_what_to_act_on(asking: Asking) -> None:
    assert '<button name="stream"' in page(client_of("eve", "run_servedmodel"))


def test_a_viewer_has_no_buttons(asking: Asking) -> None:
    client = client_of("eve", "view_servedmodel")
    text = page(client)
    assert "bob" in text and "<button name=" not in text
    assert stop(client).status_code == 403
    assert len(STREAMS.snapshot()) == 1


@pytest.mark.parametrize("facts", [{"is_staff": False}, {"is_staff": True, "is_active": False}])
def test_a_user_outside_the_staff_stops_nothing(asking: Asking, facts: dict[str, bool]) -> None:
    assert stop(client_of("eve", "run_servedmodel", **facts)).status_code == 302
    assert len(STREAMS.snapshot()) == 1


def test_an_operator_stops_a_request_and_its_client_receives_an_error(
    asking: Asking, operator: Client
) -> None:
    answer = stop(operator)
    assert asking.outcome.result(5) == "An operator of this server stopped this request."
    assert answer.url == INDEX
    assert "its client receives an error" in page(operator)
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_repr) == ("ann", "tiny")
    assert entry.change_message == "Stopped a request of user bob."


def test_a_script_is_answered_in_json(asking: Asking, operator: Client) -> None:
    assert stop(operator, accept="application/json").json() == {"stopped": True}
    asking.outcome.result(5)
    late = stop(operator, "0123", accept="application/json")
    assert (late.status_code, late.json()) == (404, {"error": "This request is no longer in progress."})


def test_what_has_ended_is_reported_as_ended(asking: Asking, operator: Client) -> None:
    stop(operator, "0123")
    assert "This request is no longer in progress." in page(operator)
    assert not LogEntry.objects.exists()


def test_a_link_stops_nothing(asking: Asking, operator: Client) -> None:
    assert operator.get(STOP).status_code == 405
    assert len(STREAMS.snapshot()) == 1


def test_a_form_without_its_token_stops_nothing(asking: Asking, operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    strict.cookies = operator.cookies
    assert stop(strict).status_code == 403
    assert len(STREAMS.snapshot()) == 1
