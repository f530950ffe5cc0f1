"""Conversations in the database: trees, lists, searches, and whose they are."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from playground.models import Conversation, Message
from playground.store import KEPT_DELETED, PAGE, ConversationStore, title_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> ConversationStore:
    return ConversationStore(None)


def ask(
    store: ConversationStore, content: str | None = "Hi", **changes: Any
) -> tuple[Conversation, list[Message]]:
    facts = {"conversation": None, "parent": None, "results": {}, "settings": {}} | changes
    return store.add_question(content=content, **facts)


def answer(
    store: ConversationStore, path: Sequence[Message], content: str = "Hello", **facts: Any
) -> Message:
    made = store.add_answer(path[-1].conversation, path[-1], {"model": "tiny"})
    for name, value in {"content": content, "status": "done", **facts}.items():
        setattr(made, name, value)
    made.save()
    return made


def titles(store: ConversationStore, query: str = "") -> list[str]:
    return [one["title"] for one in store.page(query=query)["conversations"]]


def test_a_question_begins_a_conversation_with_its_title(store: ConversationStore) -> None:
    found, path = ask(store, "What is  a\nsieve?", settings={"seed": "5"})
    whole = store.read(found.pk)
    assert (whole["title"], whole["settings"], whole["tip"]) == (
        "What is a sieve?",
        {"seed": "5"},
        path[0].pk,
    )


@pytest.mark.parametrize(
    ("search", "title"),
    [("", ""), ("short", "short"), ("word " * 40, "word " * 11 + "word…"), ("x" * 300, "x" * 60 + "…")],
)
def test_a_long_question_is_cut_at_a_word(search: str, title: str) -> None:
    assert title_of(search) == title


def test_answers_to_one_question_stand_side_by_side(store: ConversationStore) -> None:
    found, path = ask(store)
    first = answer(store, path, "one")
    _, again = ask(store, None, conversation=found.pk, parent=path[0].pk)
    second = answer(store, again, "two")
    messages = {one["id"]: one for one in store.read(found.pk)["messages"]}
    assert messages[first.pk]["parent"] == messages[second.pk]["parent"] == path[0].pk
    assert store.read(found.pk)["tip"] == second.pk


def test_an_edited_question_is_a_branch_of_its_own(store: ConversationStore) -> None:
    found, path = ask(store, "one")
    answer(store, path)
    _, edited = ask(store, "other", conversation=found.pk, parent=None)
    assert [message.content for message in edited] == ["other"]
    assert len(store.read(found.pk)["messages"]) == 3


def test_results_without_calls_are_refused(store: ConversationStore) -> None:
    found, path = ask(store)
    with pytest.raises(InvalidValue) as refusal:
        ask(store, None, conversation=found.pk, parent=path[0].pk, results={"a": "noon"})
    assert refusal.value.param == "results"


def test_a_message_of_another_conversation_is_no_parent(store: ConversationStore) -> None:
    found, _ = ask(store)
    _, other = ask(store)
    with pytest.raises(InvalidValue) as refusal:
        ask(store, "on", conversation=found.pk, parent=other[0].pk)
    assert refusal.value.param == "parent"


def test_the_list_has_the_pinned_and_the_latest_first(store: ConversationStore) -> None:
    first, *_ = [ask(store, search)[0] for search in ("one", "two", "three")]
    store.update(first.pk, {"is_pinned": True})
    assert titles(store) == ["one", "three", "two"]


def test_the_list_comes_in_pages(store: ConversationStore) -> None:
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(title=f"number {n}", changed_at=now - timedelta(minutes=n)) for n in range(PAGE + 2)
    )
    first, rest = store.page(), store.page(offset=PAGE)
    assert (len(first["conversations"]), first["has_more"]) == (PAGE, True)
    assert [one["title"] for one in rest["conversations"]] == [f"number {PAGE}", f"number {PAGE + 1}"]
    assert not rest["has_more"]


def test_a_deleted_conversation_comes_back(store: ConversationStore) -> None:
    found, _ = ask(store)
    store.delete(found.pk)
    assert titles(store) == []
    with pytest.raises(NotFound):
        store.read(found.pk)
    store.restore(found.pk)
    assert titles(store) == ["Hi"]


def test_what_was_deleted_long_ago_is_gone(store: ConversationStore) -> None:
    old, _ = ask(store, "old")
    new, _ = ask(store, "new")
    store.delete(old.pk)
    Conversation.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - 2 * KEPT_DELETED)
    store.delete(new.pk)
    assert list(Conversation.objects.values_list("title", flat=True)) == ["new"]
    assert titles(store, "old") == []


def test_another_branch_can_be_shown(store: ConversationStore) -> None:
    found, path = ask(store)
    first = answer(store, path)
    answer(store, path)
    store.update(found.pk, {"tip": first.pk})
    assert store.read(found.pk)["tip"] == first.pk


def test_a_branch_of_another_conversation_cannot(store: ConversationStore) -> None:
    found, _ = ask(store)
    _, other = ask(store)
    with pytest.raises(InvalidValue):
        store.update(found.pk, {"tip": other[0].pk})


def test_nobody_reaches_the_conversations_of_another() -> None:
    ada, bob = (ConversationStore(User.objects.create_user(name)) for name in ("ada", "bob"))
    found, path = ask(ada)
    for others in (bob, ConversationStore(None)):
        assert titles(others) == []
        for attempt, *given in (
            (others.read, found.pk),
            (others.update, found.pk, {"title": "mine"}),
            (others.delete, found.pk),
            (others.restore, found.pk),
            (others.get_message, path[0].pk),
            (others.add_question, found.pk, None, "in", {}, {}),
        ):
            with pytest.raises(NotFound):
                attempt(*given)
    assert titles(ada) == ["Hi"]


def test_a_conversation_that_never_was_is_not_found(store: ConversationStore) -> None:
    with pytest.raises(NotFound):
        store.read(uuid.uuid4())


def test_what_was_taken_out_can_be_brought_in(store: ConversationStore) -> None:
    found, path = ask(store, "one", settings={"seed": "5"})
    answer(store, path, "first", figures={"tokens": 3})
    answer(store, path, "second")
    whole = store.read(found.pk)
    copy = store.read(uuid.UUID(store.import_conversation(whole, whole["messages"])["id"]))
    assert [one["content"] for one in copy["messages"]] == ["one", "first", "second"]
    assert copy["messages"][1]["figures"] == {"tokens": 3}
    assert (copy["title"], copy["settings"]) == ("one", {"seed": "5"})
    parents = [one["parent"] for one in copy["messages"]]
    assert parents == [None, copy["messages"][0]["id"], copy["messages"][0]["id"]]
    assert copy["tip"] == copy["messages"][2]["id"]


def test_a_file_whose_messages_answer_nothing_is_refused(store: ConversationStore) -> None:
    with pytest.raises(InvalidValue):
        store.import_conversation({"title": "odd"}, [{"id": 2, "parent": 1, "role": "user", "content": "?"}])
    assert titles(store) == []


def test_a_shared_conversation_is_the_branch_that_is_shown(store: ConversationStore) -> None:
    found, path = ask(store, "one", settings={"system": "secret"})
    answer(store, path, "first")
    answer(store, path, "second")
    token = store.set_shared(found.pk, True)["share"]
    messages = ConversationStore.read_shared(token)
    assert [message["content"] for message in messages["messages"]] == ["one", "second"]
    assert messages["settings"] is None
    assert store.set_shared(found.pk, True)["share"] == token


def test_what_is_shared_no_more_or_deleted_is_not_found(store: ConversationStore) -> None:
    found, _ = ask(store)
    token = store.set_shared(found.pk, True)["share"]
    store.set_shared(found.pk, False)
    with pytest.raises(NotFound):
        ConversationStore.read_shared(token)
    token = store.set_shared(found.pk, True)["share"]
    store.delete(found.pk)
    with pytest.raises(NotFound):
        ConversationStore.read_shared(token)


def test_only_its_owner_shares_a_conversation(store: ConversationStore) -> None:
    found, _ = ask(store)
    other = ConversationStore(User.objects.create_user("bob"))
    with pytest.raises(NotFound):
        other.set_shared(found.pk, True)
