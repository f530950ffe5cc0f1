"""The websocket of changes: what is sent, to whom, and when it ends."""

import asyncio
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
from inference.core.principal import ANYBODY
from inference.storage.database_threads import in_database
from playground import changes, chats_socket, export
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


async def next_of(communicator: WebsocketCommunicator, *kinds: str) -> Any:
    """The next change of one of these types."""
    while (found := await change(communicator))["type"] not in kinds:
        continue
    return found


async def test_a_turn_its_end_and_its_deletion_are_sent(async_client: AsyncClient) -> None:
    page = Page(async_client)
    with serving(FakeRunner(["Hello"])):
        async with connected(0) as communicator:
            conversation, answer = await page.answered()
            turn = {"type": "messages", "conversation": conversation, "newest": answer["id"]}
            assert await next_of(communicator, "messages") == turn
            assert await next_of(communicator, "messages") == turn  # it has ended
            await page.json("PATCH", f"/chat/conversations/{conversation}/", {"title": "Mine"})
            await page.json("DELETE", f"/chat/conversations/{conversation}/")
            await page.json("POST", f"/chat/conversations/{conversation}/restore/")
            kinds = [(await next_of(communicator, "listed", "deleted", "messages"))["type"] for _ in range(3)]
            assert kinds == ["listed", "deleted", "messages"]
        await idle()


async def test_what_answers_is_sent_at_once_and_when_it_changes(async_client: AsyncClient) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["Hello", "you"], hold=hold)):
        async with connected(0) as communicator:
            assert (await next_of(communicator, "answering"))["conversations"] == []
            asked = await Page(async_client).ask("Hi")
            assert (await next_of(communicator, "answering"))["conversations"] == [asked["conversation"]]
            async with connected(0) as later:
                assert (await next_of(later, "answering"))["conversations"] == [asked["conversation"]]
            hold.set()
            assert (await next_of(communicator, "answering"))["conversations"] == []
        await idle()


async def test_a_page_that_read_too_slowly_is_told_what_answers_again(async_client: AsyncClient) -> None:
    with serving(FakeRunner(["Hello"])):
        async with connected(0) as communicator:
            assert (await change(communicator))["type"] == "answering"
            for _ in range(changes.MAX_WAITING + 1):
                changes.CHANGES.publish(ANYBODY.owner, changes.LISTED)
            kinds = [(await change(communicator))["type"] for _ in range(2)]
            assert kinds == ["missed", "answering"]


async def test_each_change_of_the_list_is_sent(async_client: AsyncClient) -> None:
    page = Page(async_client)
    question = {"id": 1, "parent": None, "role": "user", "content": "Hi"}
    exported = {"format": export.FORMAT, "title": "Old", "messages": [question]}
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered()
        await idle()
        async with connected(0) as communicator:
            for method, path, body in (
                ("POST", "folders/", {"name": "Work"}),
                ("PATCH", "folders/", {"name": "Work", "new_name": "Home"}),
                ("DELETE", "folders/", {"name": "Home"}),
                ("POST", f"conversations/{conversation}/share/", {}),
                ("DELETE", f"conversations/{conversation}/share/", None),
                ("POST", "import/", exported),
            ):
                await page.json(method, f"/chat/{path}", body)
                assert await next_of(communicator, "listed") == changes.LISTED, path


async def test_what_does_not_change_the_list_is_not(async_client: AsyncClient) -> None:
    with serving(FakeRunner(["Hello"])):
        async with connected(0) as communicator:
            assert (await change(communicator))["type"] == "answering"
            await Page(async_client).json("POST", "/chat/uploads/", {"size": 5})
            assert await communicator.receive_nothing(timeout=0.2)


async def test_another_account_hears_nothing(async_client: AsyncClient) -> None:
    ann = await in_database(lambda: User.objects.create_user("ann"))
    session = await in_database(lambda: session_of(ann))
    with serving(FakeRunner(["Hello"])):
        async with connected(ann.pk, session) as communicator:
            assert (await change(communicator))["type"] == "answering"
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
    monkeypatch.setattr(chats_socket, "LOOK_EVERY_S", 0.05)
    ann = await in_database(lambda: User.objects.create_user("ann"))
    session = await in_database(lambda: session_of(ann))
    async with connected(ann.pk, session) as communicator:
        await in_database(session.flush)
        assert await refusal(communicator) == UNAUTHORISED
