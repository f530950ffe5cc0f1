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
from playground.store import KEPT_DELETED, PAGE, Library, title_of, turns

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Library:
    return Library(None)


def ask(library: Library, content: str | None = "Hi", **changes: Any) -> tuple[Conversation, list[Message]]:
    facts = {"conversation": None, "parent": None, "results": {}, "settings": {}} | changes
    return library.ask(content=content, **facts)


def answer(library: Library, path: Sequence[Message], content: str = "Hello", **facts: Any) -> Message:
    made = library.answer(path[-1].conversation, path[-1], {"model": "tiny"})
    for name, value in {"content": content, "status": "done", **facts}.items():
        setattr(made, name, value)
    made.save()
    return made


def titles(library: Library, words: str = "") -> list[str]:
    return [one["title"] for one in library.page(words=words)["conversations"]]


def test_a_question_begins_a_conversation_with_its_title(library: Library) -> None:
    found, path = ask(library, "What is  a\nsieve?", settings={"seed": "5"})
    whole = library.whole(found.pk)
    assert (whole["title"], whole["settings"], whole["tip"]) == (
        "What is a sieve?",
        {"seed": "5"},
        path[0].pk,
    )


@pytest.mark.parametrize(
    ("words", "title"),
    [("", ""), ("short", "short"), ("word " * 40, "word " * 11 + "word…"), ("x" * 300, "x" * 60 + "…")],
)
def test_a_long_question_is_cut_at_a_word(words: str, title: str) -> None:
    assert title_of(words) == title


def test_answers_to_one_question_stand_side_by_side(library: Library) -> None:
    found, path = ask(library)
    first = answer(library, path, "one")
    _, again = ask(library, None, conversation=found.pk, parent=path[0].pk)
    second = answer(library, again, "two")
    told = {one["id"]: one for one in library.whole(found.pk)["messages"]}
    assert told[first.pk]["parent"] == told[second.pk]["parent"] == path[0].pk
    assert library.whole(found.pk)["tip"] == second.pk


def test_an_edited_question_is_a_branch_of_its_own(library: Library) -> None:
    found, path = ask(library, "one")
    answer(library, path)
    _, edited = ask(library, "other", conversation=found.pk, parent=None)
    assert [message.content for message in edited] == ["other"]
    assert len(library.whole(found.pk)["messages"]) == 3


def test_a_branch_is_read_from_its_first_message(library: Library) -> None:
    found, path = ask(library, "one")
    said = answer(library, path, "two")
    _, longer = ask(library, "three", conversation=found.pk, parent=said.pk)
    assert turns(longer) == [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]


def test_a_question_that_was_never_answered_is_left_out(library: Library) -> None:
    found, path = ask(library, "one")
    silent = answer(library, path, "", status="failed")
    _, longer = ask(library, "three", conversation=found.pk, parent=silent.pk)
    assert turns(longer) == [{"role": "user", "content": "three"}]


def test_results_of_calls_are_messages_of_the_branch(library: Library) -> None:
    found, path = ask(library)
    calls = [{"id": "a", "name": "now", "arguments": "{}"}, {"id": "b", "name": "now", "arguments": "{}"}]
    called = answer(library, path, "", calls=calls)
    _, longer = ask(library, None, conversation=found.pk, parent=called.pk, results={"a": "noon"})
    assert [turn["role"] for turn in turns(longer)] == ["user", "assistant", "tool", "tool"]
    assert [turn["content"] for turn in turns(longer)[2:]] == ["noon", "No result was given."]


def test_results_without_calls_are_refused(library: Library) -> None:
    found, path = ask(library)
    with pytest.raises(InvalidValue) as refusal:
        ask(library, None, conversation=found.pk, parent=path[0].pk, results={"a": "noon"})
    assert refusal.value.param == "results"


def test_a_message_of_another_conversation_is_no_parent(library: Library) -> None:
    found, _ = ask(library)
    _, other = ask(library)
    with pytest.raises(InvalidValue) as refusal:
        ask(library, "on", conversation=found.pk, parent=other[0].pk)
    assert refusal.value.param == "parent"


def test_the_list_has_the_pinned_and_the_latest_first(library: Library) -> None:
    first, *_ = [ask(library, words)[0] for words in ("one", "two", "three")]
    library.change(first.pk, {"is_pinned": True})
    assert titles(library) == ["one", "three", "two"]


def test_the_list_comes_in_pages(library: Library) -> None:
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(title=f"number {n}", changed_at=now - timedelta(minutes=n)) for n in range(PAGE + 2)
    )
    first, rest = library.page(), library.page(after=PAGE)
    assert (len(first["conversations"]), first["has_more"]) == (PAGE, True)
    assert [one["title"] for one in rest["conversations"]] == [f"number {PAGE}", f"number {PAGE + 1}"]
    assert not rest["has_more"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sieve", ["Primes"]),
        ("eratos", ["Primes"]),
        ("SIEVE of", ["Primes"]),
        ("prim", ["Primes"]),
        ("cafe", ["Coffee"]),
        ("sieve coffee", []),
        ('" OR * NEAR(', []),
        ("", ["Coffee", "Primes"]),
    ],
)
def test_words_are_found_in_titles_and_in_what_was_said(
    library: Library, words: str, found: list[str]
) -> None:
    _, path = ask(library, "Primes")
    answer(library, path, "The sieve of Eratosthenes")
    _, path = ask(library, "Coffee")
    answer(library, path, "In a café")
    assert titles(library, words) == found


def test_what_was_said_anew_is_found_by_its_new_words_only(library: Library) -> None:
    _, path = ask(library, "Drinks")
    said = answer(library, path, "tea")
    said.content = "coffee"
    said.save()
    assert (titles(library, "tea"), titles(library, "coffee")) == ([], ["Drinks"])


def test_a_deleted_conversation_comes_back_for_a_day(library: Library) -> None:
    found, _ = ask(library)
    library.delete(found.pk)
    assert titles(library) == []
    with pytest.raises(NotFound):
        library.whole(found.pk)
    library.restore(found.pk)
    assert titles(library) == ["Hi"]


def test_what_was_deleted_long_ago_is_gone(library: Library) -> None:
    old, _ = ask(library, "old")
    new, _ = ask(library, "new")
    library.delete(old.pk)
    Conversation.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - 2 * KEPT_DELETED)
    library.delete(new.pk)
    assert list(Conversation.objects.values_list("title", flat=True)) == ["new"]
    assert titles(library, "old") == []


def test_another_branch_can_be_shown(library: Library) -> None:
    found, path = ask(library)
    first = answer(library, path)
    answer(library, path)
    library.change(found.pk, {"tip": first.pk})
    assert library.whole(found.pk)["tip"] == first.pk


def test_a_branch_of_another_conversation_cannot(library: Library) -> None:
    found, _ = ask(library)
    _, other = ask(library)
    with pytest.raises(InvalidValue):
        library.change(found.pk, {"tip": other[0].pk})


def test_nobody_reaches_the_conversations_of_another() -> None:
    ada, bob = (Library(User.objects.create_user(name)) for name in ("ada", "bob"))
    found, path = ask(ada)
    for others in (bob, Library(None)):
        assert titles(others) == []
        for attempt, *given in (
            (others.whole, found.pk),
            (others.change, found.pk, {"title": "mine"}),
            (others.delete, found.pk),
            (others.restore, found.pk),
            (others.message, path[0].pk),
            (others.ask, found.pk, None, "in", {}, {}),
        ):
            with pytest.raises(NotFound):
                attempt(*given)  # type: ignore[operator]
    assert titles(ada) == ["Hi"]


def test_a_conversation_that_never_was_is_not_found(library: Library) -> None:
    with pytest.raises(NotFound):
        library.whole(uuid.uuid4())


def test_what_was_taken_out_can_be_brought_in(library: Library) -> None:
    found, path = ask(library, "one", settings={"seed": "5"})
    answer(library, path, "first", figures={"tokens": 3})
    answer(library, path, "second")
    whole = library.whole(found.pk)
    copy = library.whole(uuid.UUID(library.bring_in(whole, whole["messages"])["id"]))
    assert [one["content"] for one in copy["messages"]] == ["one", "first", "second"]
    assert copy["messages"][1]["figures"] == {"tokens": 3}
    assert (copy["title"], copy["settings"]) == ("one", {"seed": "5"})
    parents = [one["parent"] for one in copy["messages"]]
    assert parents == [None, copy["messages"][0]["id"], copy["messages"][0]["id"]]
    assert copy["tip"] == copy["messages"][2]["id"]


def test_a_file_whose_messages_answer_nothing_is_refused(library: Library) -> None:
    with pytest.raises(InvalidValue):
        library.bring_in({"title": "odd"}, [{"id": 2, "parent": 1, "role": "user", "content": "?"}])
    assert titles(library) == []


def test_a_shared_conversation_is_the_branch_that_is_shown(library: Library) -> None:
    found, path = ask(library, "one", settings={"system": "secret"})
    answer(library, path, "first")
    answer(library, path, "second")
    token = library.share(found.pk, True)["share"]
    told = Library.shared(token)
    assert [message["content"] for message in told["messages"]] == ["one", "second"]
    assert told["settings"] is None
    assert library.share(found.pk, True)["share"] == token


def test_what_is_shared_no_more_or_deleted_is_not_found(library: Library) -> None:
    found, _ = ask(library)
    token = library.share(found.pk, True)["share"]
    library.share(found.pk, False)
    with pytest.raises(NotFound):
        Library.shared(token)
    token = library.share(found.pk, True)["share"]
    library.delete(found.pk)
    with pytest.raises(NotFound):
        Library.shared(token)


def test_only_its_owner_shares_a_conversation(library: Library) -> None:
    found, _ = ask(library)
    other = Library(User.objects.create_user("bob"))
    with pytest.raises(NotFound):
        other.share(found.pk, True)
