"""Conversations brought in from files, however long: whole, in order, and in nobody's way."""

import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inference.core.errors import InvalidValue
from playground import batched_writes
from playground.models import Conversation, Message
from playground.store import ConversationStore
from tests.api.openai.site import Site, started
from tests.api.openai.test_locked_database import visitor
from tests.nightly import nightly


def message(number: int, parent: int | None, content: str = "", **facts: Any) -> dict[str, Any]:
    role = "user" if parent is None or number % 2 == 0 else "assistant"
    return {"id": number, "parent": parent, "role": role, "content": content or f"said {number}"} | facts


def chain(count: int) -> list[dict[str, Any]]:
    return [message(number, number - 1 if number else None) for number in range(count)]


def imported(messages: list[dict[str, Any]], **facts: Any) -> dict[str, Any]:
    store = ConversationStore(None)
    return store.read(uuid.UUID(store.import_conversation({"title": "x", **facts}, messages)["id"]))


@pytest.mark.django_db
def test_a_long_chain_stays_a_chain_across_its_pieces() -> None:
    whole = imported(chain(1050))["messages"]
    assert [one["content"] for one in whole] == [f"said {number}" for number in range(1050)]
    assert [one["parent"] for one in whole] == [None, *(one["id"] for one in whole[:-1])]


@pytest.mark.django_db
def test_branches_may_begin_pieces_ago() -> None:
    messages = [message(0, None), *(message(number, 0) for number in range(1, 400))]
    whole = imported([*messages, message(400, 1)], tip=3)
    first = whole["messages"][0]["id"]
    assert [one["parent"] for one in whole["messages"][1:]] == [first] * 399 + [whole["messages"][1]["id"]]
    assert whole["tip"] == whole["messages"][3]["id"]


@pytest.mark.django_db
def test_no_number_is_given_a_second_time() -> None:
    old = imported(chain(5))["messages"][-1]["id"]
    Conversation.objects.all().delete()
    assert imported(chain(5))["messages"][0]["id"] > old


@pytest.mark.django_db
def test_of_two_messages_with_one_number_both_are_kept() -> None:
    twice = [message(0, None, "first"), message(0, None, "second"), message(1, 0)]
    whole = imported(twice)["messages"]
    assert [one["content"] for one in whole] == ["first", "second", "said 1"]
    assert whole[2]["parent"] == whole[1]["id"]


@pytest.mark.django_db
@pytest.mark.parametrize("messages", [[], [message(7, None)]])
def test_short_ones_are_brought_in_too(messages: list[dict[str, Any]]) -> None:
    assert len(imported(messages, tip=99)["messages"]) == len(messages)


@pytest.mark.django_db
@pytest.mark.parametrize("place", [0, 150, 299])
def test_one_that_makes_no_sense_leaves_nothing(place: int) -> None:
    messages = chain(300)
    messages[place]["parent"] = 5000
    with pytest.raises(InvalidValue):
        ConversationStore(None).import_conversation({"title": "odd"}, messages)
    assert not Conversation.objects.exists() and not Message.objects.exists()


@pytest.mark.django_db
def test_nobody_sees_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = batched_writes.short_transaction

    def look() -> Any:
        seen.append(len(ConversationStore(None).page()["conversations"]))
        return real()

    monkeypatch.setattr(batched_writes, "short_transaction", look)
    imported(chain(350))
    assert seen == [0, 0, 0, 0] and len(ConversationStore(None).page()["conversations"]) == 1


@pytest.mark.django_db
def test_what_an_import_that_broke_off_left_is_no_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces_done: list[Any] = []
    real = batched_writes.short_transaction

    def fail() -> Any:
        if len(pieces_done) == 2:
            raise KeyboardInterrupt  # as the end of the process
        pieces_done.append(1)
        return real()

    monkeypatch.setattr(batched_writes, "short_transaction", fail)
    with pytest.raises(KeyboardInterrupt):
        ConversationStore(None).import_conversation({"title": "half"}, chain(350))
    (left,) = Conversation.objects.all()
    assert left.deleted_at is not None and ConversationStore(None).page()["conversations"] == []


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Site]:
    with started(os.environ | {"MLX_SERVER_DATA_DIR": str(data)}) as site:
        yield site


@nightly
def test_others_write_while_a_long_one_is_imported(site: Site, data: Path) -> None:
    statuses: list[int] = []
    long = {"format": "mlxsite-conversation-1", "messages": chain(10_000)}

    def send_import() -> None:
        with visitor(site) as page:
            statuses.append(page.post("/chat/import/", content=json.dumps(long), headers=JSON).status_code)

    importing = threading.Thread(target=send_import)
    written = 0
    with closing(sqlite3.connect(data / "site.sqlite3", isolation_level=None, timeout=5)) as other:
        other.execute("CREATE TABLE IF NOT EXISTS notes (text)")
        importing.start()
        time.sleep(0.3)
        while importing.is_alive():
            other.execute("INSERT INTO notes VALUES ('mine')")  # OperationalError after five seconds
            written += 1
            time.sleep(0.05)
    importing.join()
    assert statuses == [200] and written >= 5


JSON = {"Content-Type": "application/json"}
