import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.test import override_settings

from inference.admin.model_list_socket import ModelListConsumer
from inference.api.http import live_socket
from inference.api.http.live_socket import (
    BROKEN,
    FORBIDDEN,
    MAX_MESSAGES,
    MOST_SOCKETS,
    TOO_MANY,
    TOO_MANY_MESSAGES,
    UNAUTHORISED,
    LiveSocket,
)
from inference.core.config import Config
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.serving import live_models, runtime
from inference.serving.generation import stream
from inference.serving.recording.capture_switch import SWITCH
from inference.storage.database_threads import in_database
from playground.models_socket import ModelsConsumer
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of, session_of
from tests.sockets import refusal, refused

# Channels looks after the thread's database connections around every message, ours or not.
pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


def socket(
    session: SessionBase | None = None, consumer: type[LiveSocket] = ModelsConsumer
) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(consumer.as_asgi(), "/ws/models/")
    scope: Any = communicator.scope
    scope["session"] = session
    return communicator


@asynccontextmanager
async def connected(session: SessionBase | None = None) -> AsyncIterator[WebsocketCommunicator]:
    communicator = socket(session)
    is_accepted, _ = await communicator.connect(timeout=10)
    assert is_accepted
    yield communicator
    await communicator.disconnect()


async def states(communicator: WebsocketCommunicator) -> dict[str, str]:
    message = json.loads(await communicator.receive_from(timeout=5))
    return {model["id"]: model["state"] for model in message["models"]}


async def test_it_sends_the_models_at_once() -> None:
    with serving(cards=[card("tiny"), card("broken", problem="no weights")]):
        async with connected() as communicator:
            assert await states(communicator) == {"tiny": "unloaded"}


async def test_it_sends_each_change_of_state() -> None:
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


async def test_it_sends_when_a_capture_begins_and_ends() -> None:
    with serving():
        async with connected() as communicator:
            message = []
            for until in (0.0, time.time() + 600, 0.0):
                SWITCH.set(until)
                message.append(json.loads(await communicator.receive_from(timeout=5))["kept_until"] == until)
    assert message == [True, True, True]


async def test_it_is_silent_while_nothing_changes() -> None:
    with serving():
        async with connected() as communicator:
            await states(communicator)
            assert await communicator.receive_nothing(timeout=0.8)


async def test_it_starts_nothing_whatever_it_receives() -> None:
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
            assert await refusal(communicator) == TOO_MANY_MESSAGES


async def test_it_refuses_strangers_on_a_closed_site() -> None:
    with serving(), override_settings(CONFIG=Config(api_key="secret")):
        assert await refused(socket()) == UNAUTHORISED


def outsider() -> SessionBase:
    ann = User.objects.create_user("ann")
    ann.groups.clear()
    return session_of(ann)


async def test_it_refuses_an_account_that_may_not_chat() -> None:
    with serving():
        assert await refused(socket(await in_database(outsider))) == FORBIDDEN


def watchman() -> SessionBase:
    """Staff that may look at models, and not chat."""
    return client_of("eve", "view_servedmodel").session


def member() -> SessionBase:
    return session_of(User.objects.create_user("ann"))


async def test_the_admins_list_receives_every_model_in_its_own_columns() -> None:
    off = card("off", problem="an operator has switched it off", is_enabled=False)
    with serving(FakeRunner(), cards=[card("tiny"), off]) as pool:
        listening = socket(await in_database(watchman), ModelListConsumer)
        assert (await listening.connect(timeout=10))[0]
        first = json.loads(await listening.receive_from(timeout=5))
        assert {row["id"]: row["state"] for row in first["rows"]} == {
            "tiny": "unloaded",
            "off": "disabled",
        }
        await pool.load("tiny")
        while (row := json.loads(await listening.receive_from(timeout=5))["rows"][1])["state"] != "ready":
            continue
        await listening.disconnect()
        await pool.close()
    assert row == {
        **{"id": "tiny", "state": "ready", "memory": "1.0 GB", "streams": 0},
        **{"self_test": "Works", "tone": "green", "can_load": False, "can_unload": True},
    }


async def test_the_admins_list_is_for_staff_and_the_other_for_chat_users() -> None:
    with serving():
        assert await refused(socket(None, ModelListConsumer)) == UNAUTHORISED
        assert await refused(socket(await in_database(member), ModelListConsumer)) == FORBIDDEN
        assert await refused(socket(await in_database(watchman))) == FORBIDDEN


async def test_a_session_that_ends_receives_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "LOOK_EVERY_S", 0.0)
    with serving(), override_settings(CONFIG=Config(api_key="secret")):
        session = await in_database(lambda: session_of(User.objects.create_user("bob")))
        async with connected(session) as communicator:
            await states(communicator)
            await in_database(session.flush)
            assert await refusal(communicator) == UNAUTHORISED


async def test_a_page_that_breaks_closes_its_socket_with_a_code_that_reaches_browsers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(live_models, "joined", broken)
    with serving():
        async with connected() as communicator:
            assert await refusal(communicator) == BROKEN


@pytest.mark.parametrize("consumer", [ModelsConsumer, ModelListConsumer])
async def test_one_visitor_has_so_many_and_no_more(consumer: type[LiveSocket]) -> None:
    ann = await in_database(lambda: client_of("ann", is_superuser=True).session)
    bob = await in_database(lambda: client_of("bob", is_superuser=True).session)
    with serving():
        sockets = [socket(ann, consumer) for _ in range(MOST_SOCKETS)]
        for one in sockets:
            assert (await one.connect(timeout=10))[0]
        assert await refused(socket(ann, consumer)) == TOO_MANY
        for other in (socket(bob, consumer), *([socket()] if consumer is ModelsConsumer else [])):
            assert (await other.connect(timeout=10))[0] and await other.receive_from(timeout=5)
            await other.disconnect()
        await sockets[0].disconnect()
        again = socket(ann, consumer)
        assert (await again.connect(timeout=10))[0] and await again.receive_from(timeout=5)
        for one in (again, *sockets[1:]):
            await one.disconnect()


async def test_visitors_who_are_not_signed_in_are_one() -> None:
    with serving():
        sockets = [socket() for _ in range(MOST_SOCKETS)]
        for one in sockets:
            assert (await one.connect(timeout=10))[0]
        assert await refused(socket()) == TOO_MANY
        for one in sockets:
            await one.disconnect()


async def test_a_socket_that_is_killed_gives_its_place_back() -> None:
    with serving():
        for _ in range(MOST_SOCKETS + 1):
            one = socket()
            assert (await one.connect(timeout=10))[0] and await one.receive_from(timeout=5)
            one.stop(exceptions=False)  # as a server does whose client is gone without a word
            await asyncio.sleep(0)
            await asyncio.wait([one.future], timeout=5)


@pytest.mark.parametrize(("right", "shown"), [("run_servedmodel", ["org/coming"]), ("view_download", [])])
async def test_downloads_are_sent_to_those_who_may_manage_models(right: str, shown: list[str]) -> None:
    register: Any = SimpleNamespace(
        known=lambda: (ActiveDownload(id="org/coming", state=DownloadState.RUNNING),)
    )
    session = await in_database(lambda: client_of("ann", "ask_servedmodel", right).session)
    with (
        serving(),
        runtime.use_downloads(register),
        override_settings(CONFIG=Config(api_key="secret")),
    ):
        async with connected(session) as communicator:
            message = json.loads(await communicator.receive_from(timeout=5))
    assert [one["id"] for one in message["downloads"]] == shown
