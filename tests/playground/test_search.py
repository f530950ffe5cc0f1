"""Search in titles and messages: in any script, with signs, and only among the visitor's own."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from playground import search, trigram_index
from playground.models import Conversation, Message
from playground.search import terms_of
from playground.store import PAGE, ConversationStore
from tests.playground.test_store import answer, ask, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> ConversationStore:
    return ConversationStore(None)


@pytest.mark.parametrize(
    ("search", "found"),
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
def test_words_are_found_in_titles_and_in_messages(
    store: ConversationStore, search: str, found: list[str]
) -> None:
    _, path = ask(store, "Primes")
    answer(store, path, "The sieve of Eratosthenes")
    _, path = ask(store, "Coffee")
    answer(store, path, "In a café")
    assert titles(store, search) == found


def test_an_edited_message_is_found_by_its_new_words_only(store: ConversationStore) -> None:
    _, path = ask(store, "Drinks")
    reply = answer(store, path, "tea")
    reply.content = "coffee"
    reply.save()
    assert (titles(store, "tea"), titles(store, "coffee")) == ([], ["Drinks"])


SAID = {
    "Weather": "今天天气很好，我们去公园。",
    "Japanese": "東京タワーで朝ごはんを食べる",
    "Korean": "한국어를 배우고 있어요",
    "Russian": "Ёлка в Москве",
    "Arabic": "مُحَمَّد يقرأ كتابًا",
    "Thai": "สวัสดีครับ",
    "Code": 'Use C++ or foo_bar() -> std::vector<int>, not 100%_sure; **bold** and "quoted" text',
    "Emoji": "Launch 🚀 with 👩‍💻",
    "French": "Le café où naît l'été, cœur",
    "German": "Die Straße in Łódź",
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("天气", ["Weather"]),
        ("天", ["Weather"]),
        ("天气很好", ["Weather"]),
        ("好，我", ["Weather"]),
        ("タワー", ["Japanese"]),
        ("ごはん", ["Japanese"]),
        ("こはん", []),
        ("국어", ["Korean"]),
        ("елка", ["Russian"]),
        ("МОСКВ", ["Russian"]),
        ("محمد", ["Arabic"]),
        ("สวัส", ["Thai"]),
        ("C++", ["Code"]),
        ("c++", ["Code"]),
        ("foo_bar()", ["Code"]),
        ("foo_bar", ["Code"]),
        ("oo_b", ["Code"]),
        ("->", ["Code"]),
        ("::vector<int>", ["Code"]),
        ("%_", ["Code"]),
        ("100%", ["Code"]),
        ("**bold**", ["Code"]),
        ("()", ["Code"]),
        ('"bold** and"', ["Code"]),
        ('"and bold"', []),
        ("bold use", ["Code"]),
        ("fooXbar", []),
        ("🚀", ["Emoji"]),
        ("👩‍💻", ["Emoji"]),
        ("CAFÉ", ["French"]),
        ("cafe ete", ["French"]),
        ("coeur", ["French"]),
        ("strasse lodz", ["German"]),
        ("?!?", []),
        ("~", []),
        ("___", []),
        ("%%%", []),
        ("*", ["Code"]),
        ("\\", []),
        ("std OR zebra", []),
        ("content:cafe", []),
    ],
)
def test_terms_are_found_as_they_are_written(store: ConversationStore, query: str, found: list[str]) -> None:
    for title, text in SAID.items():
        _, path = ask(store, title)
        answer(store, path, text)
    assert titles(store, query) == found


def test_a_query_is_terms_and_phrases() -> None:
    assert terms_of('  one "two  three" f("x") "" Ça ') == ["one", "two three", 'f("x")', '""', "ca"]
    assert terms_of(" \t\n") == []


def hits(store: ConversationStore, query: str) -> list[dict[str, Any]]:
    return [hit for one in store.page(query=query)["conversations"] for hit in one["hits"]]


def test_each_result_names_its_messages_with_a_snippet(store: ConversationStore) -> None:
    _, path = ask(store, "About <b>sieves</b>")
    thinking = answer(store, path, "No.", reasoning="A Sieve is meant, I think")
    (found,) = store.page(query="SIEVE")["conversations"]
    assert [(hit["message"], hit["place"]) for hit in found["hits"]] == [
        (thinking.pk, "reasoning"),
        (path[0].pk, "question"),
    ]
    assert found["hits"][1]["snippet"] == [("About <b>", False), ("sieve", True), ("s</b>", False)]
    assert found["hits"][0]["snippet"][1] == ("Sieve", True)
    assert [piece for piece, is_hit in found["title_snippet"] if is_hit] == ["sieve"]


def test_a_branch_that_is_not_shown_is_searched_too(store: ConversationStore) -> None:
    found, path = ask(store, "Question")
    first = answer(store, path, "the first version")
    answer(store, path, "another")
    assert [hit["message"] for hit in hits(store, "first version")] == [first.pk]


def test_pinned_ones_come_first_then_titles_then_the_newest_messages(store: ConversationStore) -> None:
    made = {}
    for title, text in (("a", "sieve"), ("b sieve", "x"), ("c", "sieve"), ("d", "sieve"), ("e", "no")):
        made[title], path = ask(store, title)
        answer(store, path, text)
    Conversation.objects.filter(pk=made["a"].pk).update(is_pinned=True)
    assert titles(store, "sieve") == ["a", "b sieve", "d", "c"]


def test_terms_may_be_divided_between_title_and_message(store: ConversationStore) -> None:
    found, path = ask(store, "Sieves")
    reply = answer(store, path, "eratosthenes")
    _, path = ask(store, "Other")
    answer(store, path, "eratosthenes")
    (one,) = store.page(query="SIEVE eratos")["conversations"]
    assert [hit["message"] for hit in one["hits"]] == [reply.pk]
    assert titles(store, "sieve nothing") == []


def test_results_come_in_pages(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(PAGE + 5):
        ask(store, f"sieve {number}")
    first, second = store.page(query="sieve"), store.page(query="sieve", offset=PAGE)
    assert (len(first["conversations"]), first["has_more"]) == (PAGE, True)
    assert (len(second["conversations"]), second["has_more"]) == (5, False)
    ids = {one["id"] for page in (first, second) for one in page["conversations"]}
    assert len(ids) == PAGE + 5


def test_a_search_reads_a_bounded_number_of_messages(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_READ", 5)
    monkeypatch.setattr(trigram_index, "_MOST_BEGINNINGS", 0)  # as of a term that is in very many messages
    _, path = ask(store, "zq in the title stays found")
    _, path = ask(store, "old")
    answer(store, path, "zq")
    for number in range(6):
        ask(store, f"newer {number}")
    # PostgreSQL reads no message without the term, so the old one is among the first five.
    found = ["old"] if connection.vendor == "postgresql" else []
    assert titles(store, "zq") == ["zq in the title stays found", *found]


def test_a_deleted_message_is_not_found(store: ConversationStore) -> None:
    for word in ("eratosthenes", "zq"):
        _, path = ask(store, "Sieves")
        Message.objects.filter(pk=answer(store, path, word).pk).update(deleted_at=timezone.now())
        assert titles(store, word) == titles(store, f"sieves {word}") == []


def test_others_and_deleted_ones_are_never_found(store: ConversationStore) -> None:
    ann = ConversationStore(User.objects.create_user("ann"))
    for owner in (store, ann):
        found, path = ask(owner, "secret 天气")
        answer(owner, path, "secret words")
    assert len(titles(ann, "secret")) == len(titles(ann, "天气")) == len(titles(store, "words")) == 1
    ann.delete(found.pk)
    assert titles(ann, "secret") == titles(ann, "天气") == []
    assert titles(store, "secret") == ["secret 天气"]
