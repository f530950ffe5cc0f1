import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, Permission, User

from inference.chat import stream
from inference.consumers import MAX_MESSAGES, UNAUTHORISED
from inference.dashboard import consumer
from inference.dashboard.consumer import FORBIDDEN, MOST_SOCKETS, TOO_MANY, DashboardConsumer
from inference.dashboard.hour import HOUR
from inference.database import in_database
from inference.requests import ChatRequest, Message
from inference.types import Principal
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


@pytest.fixture
def staff() -> User:
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_servedmodel"))
    return user


def socket(user: Any, query: str = "") -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(DashboardConsumer.as_asgi(), f"/ws/dashboard/{query}")
    communicator.scope["user"] = user
    return communicator


@asynccontextmanager
async def connected(user: Any, query: str = "") -> AsyncIterator[WebsocketCommunicator]:
    communicator = socket(user, query)
    is_accepted, _ = await communicator.connect()
    assert is_accepted
    yield communicator
    await communicator.disconnect()


async def hear(communicator: WebsocketCommunicator) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await communicator.receive_from(timeout=5))
    return told


async def hear_of(communicator: WebsocketCommunicator, name: str) -> Any:
    """The next news of this piece."""
    while name not in (told := await hear(communicator)):
        continue
    return told[name]


async def test_it_tells_everything_at_once(staff: User) -> None:
    with serving(cards=[card("tiny")]):
        async with connected(staff) as communicator:
            told = await hear(communicator)
    assert told["type"] == "dashboard"
    assert told["models"][0]["cells"][1] == {"text": "unloaded", "tone": "unloaded"}
    assert {"memory", "held", "streams", "queue", "workers", "events"} <= set(told)


async def test_it_tells_what_changes_and_only_that(staff: User) -> None:
    with serving(FakeRunner(hold=asyncio.Event())) as pool:
        async with connected(staff) as communicator, aclosing(stream(QUESTION, Principal(kind="local"))) as e:
            await hear(communicator)
            await anext(e)
            (row,) = await hear_of(communicator, "streams")
            assert row["cells"][0]["text"] == "tiny"
            await e.aclose()
            told = await hear(communicator)
            while told.get("streams") != []:
                told = await hear(communicator)
            assert "more_models" not in told
        await pool.close()


async def test_it_starts_nothing_whatever_it_is_told(staff: User) -> None:
    runner = FakeRunner()
    with serving(runner) as pool:
        async with connected(staff) as communicator:
            await hear(communicator)
            await communicator.send_to('{"type": "load", "model": "tiny"}')
        assert pool.snapshot().models == ()
    assert runner.loads == []


async def test_it_leaves_a_client_that_talks_too_much(staff: User) -> None:
    with serving():
        async with connected(staff) as communicator:
            await hear(communicator)
            for _ in range(MAX_MESSAGES + 1):
                await communicator.send_to("x")
            while (told := await communicator.receive_output(timeout=5))["type"] == "websocket.send":
                continue
            assert told == {"type": "websocket.close", "code": 1008}


@pytest.mark.parametrize("user", [None, AnonymousUser()])
async def test_strangers_are_told_nothing(user: Any) -> None:
    assert await socket(user).connect() == (False, UNAUTHORISED)


@pytest.mark.parametrize(
    "facts",
    [
        {"is_staff": False, "is_superuser": True},
        {"is_staff": True},
        {"is_staff": True, "is_superuser": True, "is_active": False},
    ],
)
async def test_only_staff_with_the_right_is_told_anything(facts: dict[str, bool]) -> None:
    user = await in_database(lambda: User.objects.create_user("bob", **facts))
    assert await socket(user).connect() == (False, FORBIDDEN)


async def test_who_loses_the_right_is_told_no_more(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "LOOK_EVERY_S", 0.0)
    with serving():
        async with connected(staff) as communicator:
            await hear(communicator)
            await in_database(lambda: User.objects.filter(pk=staff.pk).update(is_staff=False))
            while (told := await communicator.receive_output(timeout=5))["type"] == "websocket.send":
                continue
            assert told == {"type": "websocket.close", "code": FORBIDDEN}


async def test_one_user_has_so_many_and_no_more(staff: User) -> None:
    with serving():
        sockets = [socket(staff) for _ in range(MOST_SOCKETS)]
        for one in sockets:
            assert (await one.connect())[0]
        assert await socket(staff).connect() == (False, TOO_MANY)
        await sockets[0].disconnect()
        async with connected(staff):
            pass
        for one in sockets[1:]:
            await one.disconnect()


async def test_a_page_that_comes_back_is_told_what_it_missed(staff: User) -> None:
    with serving() as pool:
        HOUR(pool.snapshot())
        first, *_ = HOUR.since()
        async with connected(staff) as communicator:
            assert (await hear(communicator))["hour"][0][0] == first.at
        async with connected(staff, f"?since={HOUR.since()[-1].at}") as communicator:
            assert "hour" not in await hear(communicator)


@pytest.mark.parametrize("query", ["?since=nan", "?since=x", "?since=1e999", "?since=", "?since=99999999999"])
async def test_a_senseless_time_does_no_harm(staff: User, query: str) -> None:
    with serving():
        async with connected(staff, query) as communicator:
            assert (await hear(communicator))["type"] == "dashboard"
