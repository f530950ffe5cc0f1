"""Deleting one message from the middle: what follows stays, and undoing puts it back where it was."""

import itertools
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from playground import export
from playground.branch import branch_to
from playground.chat_request import model_messages
from playground.message_store import MessageStore
from playground.models import Conversation, Message
from playground.purge import KEPT_DELETED, purge
from tests.playground.test_message_store import chat, shown
from tests.playground.test_store import answer, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> MessageStore:
    return MessageStore(None)


def parents(conversation: Conversation) -> dict[int, int | None]:
    return dict(conversation.messages.filter(deleted_at=None).values_list("pk", "parent_id"))


def test_what_follows_a_deleted_message_follows_the_one_above_it(store: MessageStore) -> None:
    found, ids = chat(store, turns=3)
    deleted = store.delete_alone(ids[2])
    assert deleted == {"deleted": [ids[2]], "tip": ids[-1], "moved": [ids[3]], "parent": ids[1]}
    assert shown(store, found) == ["question 1", "answer 1", "answer 2", "question 3", "answer 3"]
    restored = store.restore_message(ids[2], None)
    assert ([one["id"] for one in restored["messages"]], restored["tip"]) == ([ids[2]], ids[-1])
    assert (restored["moved"], restored["parent"]) == ([ids[3]], ids[2])
    assert shown(store, found)[2:4] == ["question 2", "answer 2"]


@pytest.mark.parametrize("order", [*itertools.permutations((1, 2, 3))])
def test_messages_deleted_one_by_one_come_back_in_any_order(store: MessageStore, order: list[int]) -> None:
    found, ids = chat(store, turns=3)
    before = parents(found)
    for place in (2, 1, 3):
        store.delete_alone(ids[place])
    assert shown(store, found) == ["question 1", "question 3", "answer 3"]
    for place in order:
        store.restore_message(ids[place], None)
    assert parents(found) == before and shown(store, found)[-1] == "answer 3"


def test_its_versions_and_all_branches_below_it_are_kept(store: MessageStore) -> None:
    found, ids = chat(store)
    other = answer(store, [store.get_message(ids[0])], "another answer 1")
    _, path = ask(store, "edited question 2", conversation=found.pk, parent=ids[1])
    edited = answer(store, path, "edited answer 2")
    assert store.delete_alone(ids[1])["tip"] == edited.pk
    below = Message.objects.filter(parent=ids[0], deleted_at=None).values_list("pk", flat=True)
    assert set(below) == {other.pk, ids[2], path[-1].pk}
    store.delete_message(path[-1].pk)
    assert shown(store, found) == ["question 1", "question 2", "answer 2"]


def test_what_is_said_afterwards_stays_when_it_comes_back(store: MessageStore) -> None:
    found, ids = chat(store)
    store.delete_alone(ids[1])
    _, path = ask(store, "meanwhile", conversation=found.pk, parent=ids[0])
    later = answer(store, path, "later")
    store.restore_message(ids[1], ids[-1])
    assert shown(store, found) == ["question 1", "answer 1", "question 2", "answer 2"]
    store.update(found.pk, {"tip": later.pk})
    assert shown(store, found) == ["question 1", "meanwhile", "later"]


def test_a_chat_begins_with_a_question(store: MessageStore) -> None:
    found, ids = chat(store)
    with pytest.raises(InvalidValue, match="begins with a question"):
        store.delete_alone(ids[0])
    store.delete_alone(ids[1])
    store.delete_alone(ids[0])
    assert shown(store, found) == ["question 2", "answer 2"]
    with pytest.raises(InvalidValue, match="question above this answer"):
        store.restore_message(ids[1], None)
    for place in (0, 1):
        store.restore_message(ids[place], None)
    assert len(shown(store, found)) == 4


def test_the_last_message_is_deleted_as_any_other(store: MessageStore) -> None:
    _, ids = chat(store)
    assert store.delete_alone(ids[3]) == {"deleted": [ids[3]], "tip": ids[2]}


def test_after_thirty_days_only_the_message_is_gone(store: MessageStore) -> None:
    found, ids = chat(store, turns=3)
    store.delete_message(ids[4])
    store.delete_alone(ids[2])
    Message.objects.filter(pk=ids[2]).update(deleted_at=timezone.now() - KEPT_DELETED - timedelta(hours=1))
    purge()
    with pytest.raises(NotFound):
        store.restore_message(ids[2], None)
    store.restore_message(ids[4], None)
    assert shown(store, found) == ["question 1", "answer 1", "answer 2", "question 3", "answer 3"]


def test_search_export_and_the_model_follow(store: MessageStore) -> None:
    found, ids = chat(store)
    store.delete_alone(ids[1])
    assert store.page(query='"answer 1"')["conversations"] == []
    assert store.page(query='"answer 2"')["conversations"][0]["hits"][0]["message"] == ids[3]
    assert "answer 1" not in export.to_markdown(store.exported(found.pk))
    made = store.import_conversation({"title": "again"}, store.exported(found.pk)["messages"])
    again = store.get(UUID(made["id"]))
    assert shown(store, again) == ["question 1", "question 2", "answer 2"]
    read = model_messages(branch_to(found, ids[3]))
    assert [(one.role, one.content) for one in read] == [
        ("user", "question 1\n\nquestion 2"),
        ("assistant", "answer 2"),
    ]


def test_an_answer_without_its_question_is_not_answered_again(store: MessageStore) -> None:
    found, ids = chat(store)
    store.delete_alone(ids[2])
    with pytest.raises(InvalidValue, match="question of this answer was deleted"):
        store.add_question(found.pk, ids[1], None, {}, {})
