"""Search in titles and messages."""

import pytest

from playground.store import ConversationStore
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
