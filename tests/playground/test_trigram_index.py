"""Terms of one or two characters are found by the index: also the only one of a text, and at its end."""

import pytest

from playground import search, trigram_index
from playground.store import ConversationStore
from tests.playground.test_store import answer, ask, titles
from tests.postgres import on_sqlite

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> ConversationStore:
    return ConversationStore(None)


@on_sqlite
@pytest.mark.parametrize(
    ("text", "query", "is_found"),
    [
        ("ends with zq", "zq", True),
        ("zq", "zq", True),
        ("z", "z", True),
        ("ends with z", "q", False),
        ("a z q", "zq", False),
        ("我们去公园", "园", True),
        ("我们去公园", "公园", True),
        ("我们去公园", "园公", False),
        ("so -> that", "->", True),
        ('say "', '"', True),
        ("\U0001f680", "\U0001f680", True),
        ("a\nzq\nb", "zq", True),
        ("zq and a longer word", "zq longer", True),
        ("zq and a longer word", "zx longer", False),
        ("zq and a qz", "zq qz", True),
    ],
)
def test_a_short_term_is_found_wherever_it_is(
    store: ConversationStore, text: str, query: str, is_found: bool
) -> None:
    _, path = ask(store, "Title")
    answer(store, path, text)
    ask(store, "Another one with other text")
    assert titles(store, query) == (["Title"] if is_found else [])


@on_sqlite
def test_reasoning_and_changed_and_deleted_messages_are_looked_up(store: ConversationStore) -> None:
    _, path = ask(store, "Title")
    reply = answer(store, path, "text", reasoning="it is zq")
    assert titles(store, "zq") == ["Title"]
    reply.reasoning = "it is xw"
    reply.save()
    assert (titles(store, "zq"), titles(store, "xw")) == ([], ["Title"])
    reply.delete()
    assert trigram_index.source(["xw"]) is None


@on_sqlite
def test_a_term_that_no_message_contains_reads_none(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = ask(store, "Title")
    answer(store, path, "a word")
    monkeypatch.setattr(search, "_hit", None)  # which compares a message
    assert titles(store, "zq") == titles(store, "z") == titles(store, "word zq") == []


@on_sqlite
def test_a_term_with_very_many_trigrams_is_looked_for_in_the_newest_messages(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trigram_index, "_MOST_BEGINNINGS", 2)
    _, path = ask(store, "Title")
    answer(store, path, "za zb zc zd")
    found = trigram_index.source(["z"])
    assert found is not None and found[1] == []
    assert titles(store, "z") == titles(store, "z Title") == ["Title"]


@on_sqlite
def test_signs_of_a_query_are_no_syntax(store: ConversationStore) -> None:
    _, path = ask(store, "Title")
    answer(store, path, '"a" OR (b) AND * NOT ^c: {d} +e')
    for query in ('"a', "(b", "*", "^c", ": {", "+e", "OR", "b)"):
        assert titles(store, query) == ["Title"], query
