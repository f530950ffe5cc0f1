import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import override_settings

from inference.chat import stream
from inference.consumers import FORBIDDEN, MAX_MESSAGES, UNAUTHORISED, ModelsConsumer
from inference.database import in_database
from inference.requests import ChatRequest, Message
from inference.types import Principal
from mlxsite.config import Config
from tests.fakes import FakeRunner, card, serving

# Channels looks after the thread's database connections around every message, ours or not.
pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


def socket() -> WebsocketCommunicator:
    return WebsocketCommunicator(ModelsConsumer.as_asgi(), "/ws/models/")


@asynccontextmanager
async def connected() -> AsyncIterator[WebsocketCommunicator]:
    communicator = socket()
    is_accepted, _ = await communicator.connect()
    assert is_accepted
    yield communicator
    await communicator.disconnect()


async def states(communicator: WebsocketCommunicator) -> dict[str, str]:
    told = json.loads(await communicator.receive_from(timeout=5))
    return {model["id"]: model["state"] for model in told["models"]}


async def test_it_tells_the_models_at_once() -> None:
    with serving(cards=[card("tiny"), card("broken", problem="no weights")]):
        async with connected() as communicator:
            assert await states(communicator) == {"tiny": "unloaded"}


async def test_it_tells_each_change_of_state() -> None:
    gate, hold = asyncio.Event(), asyncio.Event()
    with serving(FakeRunner(load_gate=gate, hold=hold)):
        async with connected() as communicator, aclosing(stream(QUESTION, Principal(kind="local"))) as events:
            seen = [await states(communicator)]
            await anext(events)
            seen.append(await states(communicator))
            gate.set()
            while (await anext(events)).__class__.__name__ != "Accepted":
                continue
            seen.append(await states(communicator))
    assert seen == [{"tiny": "unloaded"}, {"tiny": "loading"}, {"tiny": "busy"}]


async def test_it_is_silent_while_nothing_changes() -> None:
    with serving():
        async with connected() as communicator:
            await states(communicator)
            assert await communicator.receive_nothing(timeout=0.8)


async def test_it_starts_nothing_whatever_it_is_told() -> None:
    runner = FakeRunner()
    with serving(runner):
        async with connected() as communicator:
            await states(communicator)
            await communicator.send_to('{"type": "load", "model": "tiny"}')
            assert await communicator.receive_nothing(timeout=0.4)
    assert runner.loads == []


async def test_it_leaves_a_client_that_talks_too_much() -> None:
    with serving():
        async with connected() as communicator:
            await states(communicator)
            for _ in range(MAX_MESSAGES + 1):
                await communicator.send_to("x")
            assert await communicator.receive_output(timeout=5) == {"type": "websocket.close", "code": 1008}


async def test_it_refuses_strangers_on_a_closed_site() -> None:
    with serving(), override_settings(CONFIG=Config(api_key="secret")):
        assert await socket().connect() == (False, UNAUTHORISED)


def outsider() -> User:
    ann = User.objects.create_user("ann")
    ann.groups.clear()
    return ann


async def test_it_refuses_an_account_that_may_not_chat() -> None:
    with serving():
        communicator = socket()
        communicator.scope["user"] = await in_database(outsider)
        assert await communicator.connect() == (False, FORBIDDEN)
