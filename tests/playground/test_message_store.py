"""Deletions, edits and branches in the database: nothing is lost, and the tree stays whole."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from playground.message_store import MessageStore
from playground.models import Conversation, Message
from playground.purge import KEPT_DELETED, purge
from tests.playground.test_store import answer, ask, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> MessageStore:
    return MessageStore(None)


def chat(store: MessageStore, turns: int = 2) -> tuple[Conversation, list[int]]:
    """A conversation of so many questions, each with an answer, and the ids of its messages."""
    found, path = ask(store, "question 1")
    answer(store, path, "answer 1")
    for turn in range(2, turns + 1):
        tip = Message.objects.filter(conversation=found).last()
        assert tip
        _, path = ask(store, f"question {turn}", conversation=found.pk, parent=tip.pk)
        answer(store, path, f"answer {turn}")
    return found, list(Message.objects.filter(conversation=found).values_list("pk", flat=True))


def shown(store: MessageStore, conversation: Conversation) -> list[str]:
    """The texts of the branch that is shown."""
    whole = store.read(conversation.pk)
    by_id = {one["id"]: one for one in whole["messages"]}
    texts, place = [], whole["tip"]
    while place is not None:
        texts.append(by_id[place]["content"])
        place = by_id[place]["parent"]
    return texts[::-1]


def test_a_deleted_message_takes_what_follows_with_it_and_comes_back_with_it(store: MessageStore) -> None:
    found, ids = chat(store, turns=3)
    deleted = store.delete_message(ids[1])
    assert (deleted["deleted"], deleted["tip"]) == (ids[1:], ids[0])
    assert shown(store, found) == ["question 1"]
    restored = store.restore_message(ids[1], ids[-1])
    assert [one["id"] for one in restored["messages"]] == ids[1:]
    assert shown(store, found)[-1] == "answer 3"


def test_a_shared_chat_is_copied_for_another_account_without_its_settings(store: MessageStore) -> None:
    path = ask(store, "one", settings={"system": "secret"})[1]
    answer(store, path, "not shown")
    answer(store, path, "shown")
    files = [{"id": "a", "name": "notes.txt", "size": 5, "text": "Notes"}]
    Message.objects.filter(pk=path[0].pk).update(attachments=files)
    token = store.set_shared(path[0].conversation_id, True)["share"]
    other = MessageStore(User.objects.create_user("bob"))
    fields, messages, _ = other.copy_of_shared(token)
    made = other.read(UUID(other.import_conversation(fields, messages)["id"]))
    assert (made["title"], made["settings"], made["copied_from"]) == ("one", {}, "")
    assert (
        other.page()["conversations"][0]["copied_from"] == ""
        and store.page()["conversations"][0]["copied_from"] is None
    )
    assert [one["content"] for one in made["messages"]] == ["one", "shown"]
    copied = other.get_message(made["messages"][0]["id"]).attachments
    assert copied and (copied[0]["name"], copied[0]["text"]) == ("notes.txt", "Notes")
    store.delete_message(path[0].pk)
    with pytest.raises(NotFound):
        other.copy_of_shared(token)


def test_the_only_message_can_be_deleted_and_the_chat_goes_on(store: MessageStore) -> None:
    found, path = ask(store, "alone")
    assert store.delete_message(path[0].pk)["tip"] is None
    assert store.read(found.pk)["messages"] == []
    _, again = ask(store, "anew", conversation=found.pk)
    assert shown(store, found) == ["anew"]
    store.restore_message(path[0].pk, None)
    assert shown(store, found) == ["alone"] and len(store.read(found.pk)["messages"]) == 2


def test_a_question_with_three_answers_comes_back_with_all_of_them(store: MessageStore) -> None:
    found, path = ask(store, "which?")
    ids = [answer(store, path, text).pk for text in ("one", "two", "three")]
    store.update(found.pk, {"tip": ids[1]})
    store.delete_message(path[0].pk)
    assert shown(store, found) == []
    store.restore_message(path[0].pk, ids[1])
    assert shown(store, found) == ["which?", "two"]
    assert len(store.read(found.pk)["messages"]) == 4


def test_of_three_answers_the_neighbour_of_a_deleted_one_is_shown(store: MessageStore) -> None:
    found, path = ask(store, "which?")
    ids = [answer(store, path, text).pk for text in ("one", "two", "three")]
    store.delete_message(ids[2])
    assert shown(store, found) == ["which?", "two"]
    store.delete_message(ids[0])
    assert shown(store, found) == ["which?", "two"]


def test_deletions_inside_each_other_are_undone_from_the_outside_in(store: MessageStore) -> None:
    found, ids = chat(store, turns=3)
    store.delete_message(ids[4])
    store.delete_message(ids[2])
    with pytest.raises(InvalidValue):
        store.restore_message(ids[4], None)
    store.restore_message(ids[2], None)
    assert shown(store, found)[-1] == "answer 2"
    store.restore_message(ids[4], None)
    assert shown(store, found)[-1] == "answer 3"


def test_a_deleted_message_is_nowhere(store: MessageStore) -> None:
    found, ids = chat(store)
    store.delete_message(ids[2])
    for attempt, *given in (
        (store.get_message, ids[3]),
        (store.delete_message, ids[3]),
        (store.edit_answer, ids[3], "x"),
        (store.to_continue, ids[3]),
        (store.branch_of, ids[3]),
    ):
        with pytest.raises(NotFound):
            attempt(*given)
    with pytest.raises(InvalidValue):
        ask(store, "below", conversation=found.pk, parent=ids[3])
    with pytest.raises(InvalidValue):
        store.update(found.pk, {"tip": ids[3]})
    assert titles(store, "question 2") == [] and titles(store, "question 1") != []


def test_after_a_while_a_deleted_message_is_gone_for_good(store: MessageStore) -> None:
    found, ids = chat(store)
    store.delete_message(ids[3])
    purge()
    assert Message.objects.filter(pk=ids[3]).exists()
    Message.objects.filter(pk=ids[3]).update(deleted_at=timezone.now() - KEPT_DELETED - timedelta(hours=1))
    with pytest.raises(NotFound):
        store.restore_message(ids[3], None)
    purge()
    assert not Message.objects.filter(pk=ids[3]).exists() and len(shown(store, found)) == 3


def test_an_edited_answer_keeps_what_follows_and_its_original(store: MessageStore) -> None:
    found, ids = chat(store, turns=3)
    edited = store.edit_answer(ids[1], "better")
    assert shown(store, found)[1] == "better" and len(shown(store, found)) == 6
    new, original = edited["messages"]
    assert (new["id"], bool(new["edited_at"]), new["tokens"]) == (ids[1], True, [])
    assert (original["content"], original["edited_at"], original["parent"]) == ("answer 1", None, ids[0])
    assert original["at"] == new["at"] < new["edited_at"]
    store.edit_answer(ids[1], "best")
    texts = [one["content"] for one in store.read(found.pk)["messages"] if one["parent"] == ids[0]]
    assert sorted(texts) == ["answer 1", "best", "better"]


def test_an_edit_can_be_undone_until_something_follows_the_original(store: MessageStore) -> None:
    found, ids = chat(store)
    original = store.edit_answer(ids[1], "better")["original"]
    store.undo(ids[1], original)
    whole = store.read(found.pk)
    assert [one["content"] for one in whole["messages"]] == [
        "question 1",
        "answer 1",
        "question 2",
        "answer 2",
    ]
    assert not any(one["edited_at"] for one in whole["messages"])
    again = store.edit_answer(ids[1], "better")["original"]
    ask(store, "on", conversation=found.pk, parent=again)
    with pytest.raises(InvalidValue):
        store.undo(ids[1], again)


def test_an_edited_answer_is_complete_however_it_ended_and_its_original_is_not(store: MessageStore) -> None:
    _, path = ask(store, "go on")
    cut = answer(store, path, "half", status="failed", error="It ended.", figures={"reason": "length"})
    edited, original = store.edit_answer(cut.pk, "whole")["messages"]
    assert (edited["status"], edited["error"], edited["figures"]) == ("done", "", {"reason": "edited"})
    assert (original["status"], original["error"]) == ("failed", "It ended.")
    assert original["figures"] == {"reason": "length"}
    (undone,) = store.undo(cut.pk, original["id"])["messages"]
    assert (undone["content"], undone["status"], undone["figures"]) == (
        "half",
        "failed",
        {"reason": "length"},
    )


def test_a_continuation_can_be_undone_until_the_answer_is_edited(store: MessageStore) -> None:
    found, path = ask(store, "go on")
    cut = answer(store, path, "half", status="done", figures={"reason": "length"})
    original = store.reopen(cut)
    assert len(store.read(found.pk)["messages"]) == 2  # the copy is no version of the answer
    more = {"content": "half and more", "status": "done", "figures": {"reason": "stop"}}
    Message.objects.filter(pk=cut.pk).update(**more)
    (undone,) = store.undo(cut.pk, original)["messages"]
    assert (undone["content"], undone["status"], undone["figures"]) == ("half", "done", {"reason": "length"})
    assert [one["content"] for one in store.read(found.pk)["messages"]] == ["go on", "half"]
    with pytest.raises(InvalidValue):
        store.undo(cut.pk, original)
    again = store.reopen(store.get_message(cut.pk))
    Message.objects.filter(pk=cut.pk).update(**more)
    store.edit_answer(cut.pk, "something else")
    for wrong in (again, cut.pk, path[0].pk):
        with pytest.raises(InvalidValue):
            store.undo(cut.pk, wrong)


def test_an_edit_that_changes_nothing_adds_nothing(store: MessageStore) -> None:
    found, ids = chat(store)
    assert store.edit_answer(ids[1], "answer 1")["original"] is None
    assert len(store.read(found.pk)["messages"]) == 4


def test_questions_are_asked_again_and_not_edited_as_answers_are(store: MessageStore) -> None:
    _, ids = chat(store)
    for attempt in (lambda: store.edit_answer(ids[0], "x"), lambda: store.to_continue(ids[0])):
        with pytest.raises(InvalidValue):
            attempt()


def test_a_branch_becomes_a_chat_of_its_own_with_a_link_back(store: MessageStore) -> None:
    found, path = ask(store, "question 1", settings={"system": "Be brief."})
    first = answer(store, path, "answer 1", figures={"tokens": 3})
    answer(store, path, "another")
    _, path = ask(store, "question 2", conversation=found.pk, parent=first.pk)
    store.update(found.pk, {"folder": "Work"})
    made = store.add_branch(*store.branch_of(first.pk))
    whole = store.read(made["id"])
    assert [one["content"] for one in whole["messages"]] == ["question 1", "answer 1"]
    assert whole["tip"] == whole["messages"][1]["id"] and whole["messages"][1]["figures"] == {"tokens": 3}
    assert whole["branched_from"] == {"id": str(found.pk), "title": "question 1"}
    assert (whole["title"], whole["folder"]) == ("Branch of question 1", "Work")
    again = store.add_branch(*store.branch_of(whole["tip"]))
    assert again["title"] == "Branch of question 1"
    store.delete(found.pk)
    assert store.read(made["id"])["branched_from"] is None


def test_nobody_reaches_the_messages_of_another() -> None:
    ada, bob = (MessageStore(User.objects.create_user(name)) for name in ("ada", "bob"))
    _, ids = chat(ada)
    ada.delete_message(ids[3])
    for others in (bob, MessageStore(None)):
        for attempt, *given in (
            (others.delete_message, ids[1]),
            (others.restore_message, ids[3], None),
            (others.edit_answer, ids[1], "mine"),
            (others.undo, ids[1], ids[1]),
            (others.to_continue, ids[1]),
            (others.branch_of, ids[1]),
        ):
            with pytest.raises(NotFound):
                attempt(*given)
