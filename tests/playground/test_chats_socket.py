"""The websocket of changes: what is sent, to whom, and when it ends."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.test import AsyncClient, override_settings

from inference.api.http.live_socket import FORBIDDEN, UNAUTHORISED
from inference.core.config import Config
from inference.storage.database_threads import in_database
from playground import event_socket
from playground.chats_socket import ChatsConsumer
from tests.fakes import FakeRunner, serving
from tests.people import session_of
from tests.playground.asking import Page, idle
from tests.sockets import refusal, refused

pytestmark = pytest.mark.django_db(transaction=True)


def socket(account: object, session: SessionBase | None = None) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(ChatsConsumer.as_asgi(), f"/ws/chats/?account={account}")
    scope: Any = communicator.scope
    scope["session"] = session
    return communicator


@asynccontextmanager
async def connected(account: object, session: SessionBase | None = None) -> AsyncIterator[Any]:
    communicator = socket(account, session)
    is_accepted, _ = await communicator.connect(timeout=10)
    assert is_accepted and await change(communicator) == {"type": "missed"}
    yield communicator
    await communicator.disconnect()


async def change(communicator: WebsocketCommunicator) -> Any:
    return json.loads(await communicator.receive_from(timeout=10))


async def test_a_turn_its_end_and_its_deletion_are_sent(async_client: AsyncClient) -> None:
    page = Page(async_client)
    with serving(FakeRunner(["Hello"])):
        async with connected(0) as communicator:
            conversation, answer = await page.answered()
            turn = {"type": "messages", "conversation": conversation, "newest": answer["id"]}
            assert await change(communicator) == turn
            assert await change(communicator) == turn  # it has ended
            await page.json("PATCH", f"/chat/conversations/{conversation}/", {"title": "Mine"})
            await page.json("DELETE", f"/chat/conversations/{conversation}/")
            await page.json("POST", f"/chat/conversations/{conversation}/restore/")
            kinds = [(await change(communicator))["type"] for _ in range(3)]
            assert kinds == ["listed", "deleted", "messages"]
        await idle()


async def test_another_account_hears_nothing(async_client: AsyncClient) -> None:
    ann = await in_database(lambda: User.objects.create_user("ann"))
    session = await in_database(lambda: session_of(ann))
    with serving(FakeRunner(["Hello"])):
        async with connected(ann.pk, session) as communicator:
            await Page(async_client).answered()
            assert await communicator.receive_nothing(timeout=0.3)
        await idle()


async def test_a_page_of_another_account_is_refused() -> None:
    ann = await in_database(lambda: User.objects.create_user("ann"))
    session = await in_database(lambda: session_of(ann))
    for account, opened in ((0, session), (ann.pk + 1, session), (ann.pk, None), ("", None)):
        assert await refused(socket(account, opened)) == UNAUTHORISED


async def test_who_may_not_chat_is_refused() -> None:
    def powerless() -> tuple[User, SessionBase]:
        person = User.objects.create_user("ann")
        person.groups.clear()
        return person, session_of(person)

    person, session = await in_database(powerless)
    assert await refused(socket(person.pk, session)) == FORBIDDEN
    with override_settings(CONFIG=Config(api_key="secret")):
        assert await refused(socket(0)) == UNAUTHORISED


async def test_it_ends_soon_after_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_socket, "LOOK_EVERY_S", 0.05)
    ann = await in_database(lambda: User.objects.create_user("ann"))
    session = await in_database(lambda: session_of(ann))
    async with connected(ann.pk, session) as communicator:
        await in_database(session.flush)
        assert await refusal(communicator) == UNAUTHORISED
