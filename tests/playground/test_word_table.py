"""The search on PostgreSQL: the cases of SQLite's, and the table that is only there."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from inference.serving.health.checks import database
from playground import word_table
from playground.models import Message
from playground.store import ConversationStore
from tests.e2e.site import ROOT
from tests.nightly import nightly
from tests.playground.test_store import answer, ask, titles
from tests.postgres import PostgresServer, on_postgresql, on_sqlite

SAME = ["search", "word_table", "vendor_statements", "purge", "conversation_import"]


@nightly
@on_sqlite  # which the gate uses: it has these files run on a server as well
def test_search_and_purge_do_the_same_on_a_server(postgres: PostgresServer) -> None:
    files = [f"tests/playground/test_{name}.py" for name in SAME]
    env = os.environ | {"MLXSITE_POSTGRES": postgres.url()}
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def folded() -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT folded FROM playground_words ORDER BY message_id")
        return [text for (text,) in cursor.fetchall()]


@on_postgresql
@pytest.mark.django_db
def test_a_message_is_folded_once_and_again_after_a_change() -> None:
    _, path = ask(ConversationStore(None), "Café \0 noir")
    assert folded() == [None]
    word_table.fold_new()
    assert folded() == ["cafe \ufffd noir\n"]
    Message.objects.filter(pk=path[0].pk).update(content="Thé")
    assert folded() == [None]
    word_table.fold_new()
    assert folded() == ["the\n"]
    Message.objects.filter(pk=path[0].pk).update(status="done")
    assert folded() == ["the\n"]


@on_postgresql
@pytest.mark.django_db
def test_messages_that_are_not_folded_yet_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_table, "fold_new", lambda most: None)
    store = ConversationStore(None)
    _, path = ask(store, "Drinks")
    answer(store, path, "In a café")
    assert titles(store, "CAFE") == ["Drinks"]
    assert folded() == [None, None]


@on_postgresql
@pytest.mark.django_db
def test_without_the_extension_the_search_goes_on_and_the_health_page_says_so() -> None:
    (with_it,) = database.check()
    assert with_it.state == "good"
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
    store = ConversationStore(None)
    _, path = ask(store, "Drinks")
    answer(store, path, "In a café")
    assert titles(store, "cafe") == ["Drinks"]
    (without,) = database.check()
    assert without.state == "look" and "CREATE EXTENSION pg_trgm" in without.advice
    word_table.index_words()
    assert next(iter(database.check())).state == "good"


@on_postgresql
@pytest.mark.django_db
def test_terms_are_looked_up_in_the_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM playground_words WHERE folded LIKE '%cafe%' OR folded IS NULL")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "playground_words_trigrams" in plan
