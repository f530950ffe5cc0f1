import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils import timezone

from inference.admin.dashboard import consumer
from inference.admin.dashboard.consumer import FORBIDDEN, MAX_SOCKETS, TOO_MANY, DashboardConsumer
from inference.api.http.live_socket import MAX_MESSAGES, TOO_MANY_MESSAGES, UNAUTHORISED
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.serving.generation import stream
from inference.serving.usage_history import USAGE_HISTORY
from inference.storage.database_threads import in_database
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of, session_of
from tests.sockets import refusal, refused

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


@pytest.fixture
def staff() -> SessionBase:
    return session_of(ann())


def ann() -> User:
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_servedmodel"))
    return user


def socket(session: SessionBase | None, query: str = "") -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(DashboardConsumer.as_asgi(), f"/ws/dashboard/{query}")
    scope: Any = communicator.scope
    scope["session"] = session
    return communicator


@asynccontextmanager
async def connected(session: SessionBase, query: str = "") -> AsyncIterator[WebsocketCommunicator]:
    communicator = socket(session, query)
    is_accepted, _ = await communicator.connect(timeout=10)
    assert is_accepted
    yield communicator
    await communicator.disconnect()


async def hear(communicator: WebsocketCommunicator) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await communicator.receive_from(timeout=5))
    return message


async def hear_of(communicator: WebsocketCommunicator, name: str) -> Any:
    """The next news of this piece."""
    while name not in (message := await hear(communicator)):
        continue
    return message[name]


async def test_it_sends_everything_at_once(staff: SessionBase) -> None:
    with serving(cards=[card("tiny")]):
        async with connected(staff) as communicator:
            message = await hear(communicator)
    assert message["type"] == "dashboard"
    assert message["models"][0]["cells"][1] == {"text": "unloaded", "tone": "unloaded"}
    assert {"memory", "held", "streams", "queue", "workers", "events"} <= set(message)


async def test_it_sends_what_changes_and_only_that(staff: SessionBase) -> None:
    with serving(FakeRunner(hold=asyncio.Event())) as pool:
        async with connected(staff) as communicator, aclosing(stream(QUESTION, Principal(kind="local"))) as e:
            await hear(communicator)
            await anext(e)
            (row,) = await hear_of(communicator, "streams")
            assert row["cells"][0]["text"] == "tiny"
            await e.aclose()
            message = await hear(communicator)
            while message.get("streams") != []:
                message = await hear(communicator)
            assert "more_models" not in message
        await pool.close()


async def test_it_starts_nothing_whatever_it_receives(staff: SessionBase) -> None:
    runner = FakeRunner()
    with serving(runner) as pool:
        async with connected(staff) as communicator:
            await hear(communicator)
            await communicator.send_to('{"type": "load", "model": "tiny"}')
        assert pool.snapshot().models == ()
    assert runner.loads == []


async def test_it_leaves_a_client_that_talks_too_much(staff: SessionBase) -> None:
    with serving():
        async with connected(staff) as communicator:
            await hear(communicator)
            for _ in range(MAX_MESSAGES + 1):
                await communicator.send_to("x")
            assert await refusal(communicator) == TOO_MANY_MESSAGES


async def test_strangers_receive_nothing() -> None:
    assert await refused(socket(None)) == UNAUTHORISED
    assert await refused(socket(await in_database(lambda: session_of(None)))) == UNAUTHORISED


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"is_staff": False, "is_superuser": True}, FORBIDDEN),
        ({"is_staff": True}, FORBIDDEN),
        ({"is_staff": True, "is_superuser": True, "is_active": False}, UNAUTHORISED),
    ],
)
async def test_only_staff_with_the_permission_receives_anything(facts: dict[str, bool], code: int) -> None:
    session = await in_database(lambda: client_of("bob", **facts).session)
    assert await refused(socket(session)) == code


def lose_the_right(session: SessionBase) -> None:
    User.objects.update(is_staff=False)


def sign_out(session: SessionBase) -> None:
    session.flush()


def run_out(session: SessionBase) -> None:
    Session.objects.update(expire_date=timezone.now())


def change_password(session: SessionBase) -> None:
    user = User.objects.get()
    user.set_password("another")
    user.save()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lose_the_right, FORBIDDEN),
        (sign_out, UNAUTHORISED),
        (run_out, UNAUTHORISED),
        (change_password, UNAUTHORISED),
    ],
)
async def test_a_user_without_the_permission_any_more_receives_no_more(
    staff: SessionBase, end: Callable[[SessionBase], None], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "REFRESH_EVERY_S", 0.0)
    with serving():
        async with connected(staff) as communicator:
            await hear(communicator)
            await in_database(lambda: end(staff))
            assert await refusal(communicator) == code


async def test_a_session_signed_with_a_replaced_secret_key_stays_open(
    staff: SessionBase, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    monkeypatch.setattr(consumer, "REFRESH_EVERY_S", 0.0)
    with serving():
        async with connected(staff) as communicator:
            for _ in range(3):
                assert (await hear(communicator))["type"] == "dashboard"


async def test_it_says_something_now_and_then_though_nothing_changes(
    staff: SessionBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "REFRESH_EVERY_S", 0.0)
    with serving():
        async with connected(staff) as communicator:
            await hear(communicator)
            while (message := await hear(communicator)) != {"type": "dashboard"}:
                assert message["type"] == "dashboard"


async def test_one_user_has_so_many_and_no_more(staff: SessionBase) -> None:
    with serving():
        sockets = [socket(staff) for _ in range(MAX_SOCKETS)]
        for one in sockets:
            assert (await one.connect(timeout=10))[0]
        assert await refused(socket(staff)) == TOO_MANY
        await sockets[0].disconnect()
        async with connected(staff):
            pass
        for one in sockets[1:]:
            await one.disconnect()


async def test_a_page_that_comes_back_receives_what_it_missed(staff: SessionBase) -> None:
    with serving() as pool:
        USAGE_HISTORY(pool.snapshot())
        first, *_ = USAGE_HISTORY.since()
        async with connected(staff) as communicator:
            assert (await hear(communicator))["hour"][0][0] == first.at
        async with connected(staff, f"?since={USAGE_HISTORY.since()[-1].at}") as communicator:
            assert "hour" not in await hear(communicator)


@pytest.mark.parametrize("query", ["?since=nan", "?since=x", "?since=1e999", "?since=", "?since=99999999999"])
async def test_a_senseless_time_does_no_harm(staff: SessionBase, query: str) -> None:
    with serving():
        async with connected(staff, query) as communicator:
            assert (await hear(communicator))["type"] == "dashboard"
