"""The Nth statement of the database fails, for each N of the main uses: acknowledged or not, nothing is half.

As SQLite's own tests do (https://www.sqlite.org/testing.html#i_o_error_testing). For each use: the state
after a refusal is the state before it or the whole change, and the same request succeeds afterwards; the
state after a success is the whole change.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError, models
from django.test import AsyncClient

from inference.storage.database_threads import in_database
from playground.models import Conversation, Message
from playground.purge import IN_IMPORT
from tests.cursor_class import cursor_class
from tests.empty_database import copy_of_database, restore
from tests.fakes import FakeRunner, serving
from tests.nightly import IS_NIGHTLY, of_each_kind
from tests.playground.asking import Page, idle
from tests.postgres import on_sqlite

pytestmark = pytest.mark.django_db(transaction=True)
State = dict[str, list[str]]
MOST = 120  # statements of one use
LOCKED = "database is locked"
# What the server writes by itself, later, and what no user reads.
ASIDE = {
    *("requestrecord", "keyday", "accountday", "usagehour", "poolevent", "logline", "healthcheck"),
    *("session", "logentry", "signinattempts"),
}
DRAWN = ("made", "figures", "import_key")  # others each time


class Statements:
    """Fails the statement number `failing`, and counts all of them; 0 fails none."""

    def __init__(self) -> None:
        self.count = self.failing = 0

    def run(self, query: str) -> None:
        if query.startswith(("ROLLBACK", "SAVEPOINT", "RELEASE", "BEGIN", "PRAGMA")):
            return  # what is undone is not what fails
        self.count += 1
        if self.count == self.failing:
            raise OperationalError(LOCKED)

    def fail(self, number: int) -> None:
        self.count, self.failing = 0, number


@pytest.fixture
def statements(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Statements:
    kind = cursor_class()
    found, execute, many = Statements(), kind.execute, kind.executemany

    def one(cursor: Any, query: str, params: Any = None) -> Any:
        found.run(query)
        return execute(cursor, query, params)

    def all_of(cursor: Any, query: str, rows: Any) -> Any:
        found.run(query)
        return many(cursor, query, rows)

    monkeypatch.setattr(kind, "execute", one)
    monkeypatch.setattr(kind, "executemany", all_of)
    return found


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    owner = await in_database(lambda: User.objects.create_superuser("owner"))
    await async_client.aforce_login(owner)
    with serving(FakeRunner(["Hel", "lo"])):
        yield Page(async_client)
        await idle()


def tables() -> list[type[models.Model]]:
    ours = [model for model in apps.get_models() if model._meta.app_label in ("inference", "playground")]
    return [model for model in ours if model._meta.managed and not model._meta.proxy]


def state() -> State:
    """What users find: the texts, choices and links of each table, without ids and times."""
    found: State = {}
    for model in tables():
        if model._meta.model_name not in ASIDE:
            rows = sorted(row_of(one) for one in model._default_manager.all() if not is_begun(one))
            if rows:
                found[model.__name__] = rows
    return found


def is_begun(one: models.Model) -> bool:
    """Whether it belongs to a copy or an import that has not ended, which nobody sees and the purge takes."""
    conversation = one.conversation if isinstance(one, Message) else one
    return isinstance(conversation, Conversation) and conversation.deleted_at == IN_IMPORT


def row_of(one: models.Model) -> str:
    shown: dict[str, Any] = {}
    for field in one._meta.concrete_fields:
        value = getattr(one, field.attname)
        if isinstance(field, models.ForeignKey | models.DateTimeField | models.UUIDField):
            shown[field.name] = value is not None
        elif not field.primary_key and field.name not in DRAWN:
            shown[field.name] = value
    text = json.dumps(shown, default=str, sort_keys=True)
    return re.sub(r"[a-z]+_[0-9a-f]{20,}|(?<=_at\": )\d+", "id", text)


# The uses. Each prepares what it changes, and returns the request to try.

Ask = Callable[[], Awaitable[Any]]


async def chat_of(page: Page) -> tuple[str, list[int]]:
    """A conversation of two turns, and its messages."""
    conversation, answer = await page.answered("First")
    await page.answered("Second", conversation=conversation, parent=answer["id"])
    await idle()
    whole = await page.open(conversation)
    return conversation, [one["id"] for one in whole["messages"]]


async def rename(page: Page) -> Ask:
    conversation, _ = await chat_of(page)
    return lambda: page.send("PATCH", f"/chat/conversations/{conversation}/", {"title": "A new name"})


async def move_to_a_folder(page: Page) -> Ask:
    conversation, _ = await chat_of(page)
    await page.json("POST", "/chat/folders/", {"name": "Work"})
    return lambda: page.send("PATCH", f"/chat/conversations/{conversation}/", {"folder": "Work"})


async def delete_a_chat(page: Page) -> Ask:
    conversation, _ = await chat_of(page)
    return lambda: page.send("DELETE", f"/chat/conversations/{conversation}/")


async def restore_a_chat(page: Page) -> Ask:
    conversation, _ = await chat_of(page)
    await page.send("DELETE", f"/chat/conversations/{conversation}/")
    return lambda: page.send("POST", f"/chat/conversations/{conversation}/restore/")


async def delete_a_message(page: Page) -> Ask:
    _, messages = await chat_of(page)
    return lambda: page.send("DELETE", f"/chat/messages/{messages[1]}/")


async def edit_an_answer(page: Page) -> Ask:
    _, messages = await chat_of(page)
    return lambda: page.send("PATCH", f"/chat/messages/{messages[1]}/", {"content": "Edited"})


async def branch(page: Page) -> Ask:
    _, messages = await chat_of(page)
    return lambda: page.send("POST", f"/chat/messages/{messages[2]}/branch/")


async def import_chats(page: Page) -> Ask:
    await chat_of(page)
    exported = await page.send("GET", "/chat/export.json")
    content = exported.content if not exported.streaming else b"".join([p async for p in exported])
    return lambda: page.send("POST", "/chat/import/", json.loads(content))


async def save_a_prompt(page: Page) -> Ask:
    return lambda: page.send("POST", "/chat/prompts/", {"name": "Terse", "text": "Be terse."})


async def save_my_defaults(page: Page) -> Ask:
    return lambda: page.send("PUT", "/chat/settings/", {"settings": {"temperature": "0.5"}})


async def store_a_conversation(page: Page) -> Ask:
    items = [{"role": "user", "content": f"Item {n}"} for n in range(3)]
    return lambda: page.send("POST", "/v1/conversations", {"items": items, "metadata": {"a": "b"}})


async def delete_a_conversation(page: Page) -> Ask:
    made = await page.json("POST", "/v1/conversations", {"items": [{"role": "user", "content": "Hi"}]})
    return lambda: page.send("DELETE", f"/v1/conversations/{made['id']}")


async def store_a_response(page: Page) -> Ask:
    return lambda: page.send("POST", "/v1/responses", {"model": "tiny", "input": "Hi", "store": True})


async def save_a_profile(page: Page) -> Ask:
    body = {"model": "tiny", "name": "terse", "system": "Be terse.", "temperature": 0}
    return lambda: page.send("POST", "/api/profiles", body)


async def pin_a_model(page: Page) -> Ask:
    return lambda: page.send("POST", "/api/models/pin", {"model": "tiny"})


USES = [
    *(rename, move_to_a_folder, delete_a_chat, restore_a_chat, delete_a_message, edit_an_answer, branch),
    *(import_chats, save_a_prompt, save_my_defaults, store_a_conversation, delete_a_conversation),
    *(store_a_response, save_a_profile, pin_a_model),
]

IN_GATE = [delete_a_message, store_a_response, save_a_profile]


async def settled() -> State:
    """The state once what was begun has ended."""
    await idle()
    return await in_database(state)


@on_sqlite  # whose whole database is copied in a moment
@pytest.mark.parametrize("use", of_each_kind(USES, IN_GATE), ids=lambda use: use.__name__)
async def test_nothing_is_half_made(
    page: Page, statements: Statements, use: Callable[[Page], Awaitable[Ask]]
) -> None:
    ask = await use(page)
    before = await settled()
    copy = await in_database(copy_of_database)
    statements.fail(0)
    response = await ask()
    assert response.status_code < 400, response.content
    after, total = await settled(), statements.count
    assert after != before and 0 < total < MOST
    refused = 0
    for number in range(1, total + 1, 1 if IS_NIGHTLY else 2):
        await in_database(lambda: restore(copy))
        cache.clear()
        assert await settled() == before
        statements.fail(number)
        response = await ask()
        statements.fail(0)
        found = await settled()
        if response.status_code < 400:
            assert found == after, number
            continue
        refused += 1
        assert response.status_code == 503 and json.loads(response.content)["error"]["message"], number
        assert found in (before, after), number
        if found == before:
            again = await ask()
            assert again.status_code < 400, (number, again.content)
            assert await settled() == after
    assert refused
