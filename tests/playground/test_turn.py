"""A question and its answers are stored together, after the newest message that the page knows, and once."""

import uuid
from typing import Any

import pytest
from django.db import OperationalError

from inference.core.errors import ConversationChanged
from playground.models import Conversation, Message
from playground.schemas import AskBody
from playground.store import ConversationStore
from playground.turn import StoredTurn, store_turn

pytestmark = pytest.mark.django_db
QUESTION = {"model": "tiny"}


@pytest.fixture
def store() -> ConversationStore:
    return ConversationStore(None)


def ask(
    store: ConversationStore, content: str | None = "Hi", *, models: int = 1, **changes: Any
) -> StoredTurn:
    body = AskBody.model_validate({"content": content, "question": QUESTION} | changes)
    return store_turn(store, body, [QUESTION] * models)


def after(turn: StoredTurn, parent: Message) -> dict[str, Any]:
    return {"conversation": str(turn.conversation.pk), "parent": parent.pk}


def test_a_question_comes_with_an_answer_for_each_model(store: ConversationStore) -> None:
    turn = ask(store, models=3)
    assert [message.content for message in turn.branch] == ["Hi"]
    assert [(one.parent_id, one.status) for one in turn.answers] == [(turn.branch[0].pk, "answering")] * 3


def test_nothing_is_stored_where_an_answer_cannot_be(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(ConversationStore, "add_answer", fail)
    with pytest.raises(OperationalError):
        ask(store)
    assert (Conversation.objects.count(), Message.objects.count()) == (0, 0)


def test_a_page_that_does_not_know_the_newest_message_is_refused(store: ConversationStore) -> None:
    first = ask(store)
    place = after(first, first.answers[0])
    second = ask(store, "one", at_end=True, **place)
    with pytest.raises(ConversationChanged) as refusal:
        ask(store, "two", at_end=True, **place)
    assert "was continued in another window" in refusal.value.message
    ask(store, "two", at_end=True, **after(first, second.answers[0]))
    ask(store, "a branch on purpose", **place)


def test_a_first_question_is_checked_too(store: ConversationStore) -> None:
    first = ask(store)
    place: dict[str, Any] = {"conversation": str(first.conversation.pk), "parent": None}
    with pytest.raises(ConversationChanged):
        ask(store, "again", at_end=True, **place)
    assert len(ask(store, "edited", **place).branch) == 1


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_new_conversation_that_is_sent_twice_is_made_once(
    store: ConversationStore, is_deleted: bool
) -> None:
    new_id = str(uuid.uuid4())
    turn = ask(store, new_id=new_id)
    assert str(turn.conversation.pk) == new_id
    if is_deleted:
        store.delete(turn.conversation.pk)
    with pytest.raises(ConversationChanged) as refusal:
        ask(store, new_id=new_id)
    assert refusal.value.param == "new_id" and Conversation.objects.count() == 1


def test_an_id_for_a_new_conversation_changes_no_other(store: ConversationStore) -> None:
    first = ask(store)
    second = ask(store, new_id=str(uuid.uuid4()), **after(first, first.answers[0]))
    assert second.conversation.pk == first.conversation.pk


def test_a_result_is_corrected_until_it_is_answered(store: ConversationStore) -> None:
    turn = ask(store)
    answer = turn.answers[0]
    answer.calls = [{"id": "a", "name": "clock", "arguments": "{}"}]
    answer.save()
    place = after(turn, answer)
    store.add_question(turn.conversation.pk, answer.pk, None, {"a": "noon"}, {})
    ask(store, None, results={"a": "midnight"}, **place)
    answer.refresh_from_db()
    assert answer.calls[0]["result"] == "midnight"
    with pytest.raises(ConversationChanged):
        ask(store, None, results={"a": "dawn"}, **place)
    ask(store, None, results={"a": "midnight"}, **place)  # the same again is another answer
    answer.refresh_from_db()
    assert answer.calls[0]["result"] == "midnight"
