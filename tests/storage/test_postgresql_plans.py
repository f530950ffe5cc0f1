"""How PostgreSQL reads the long lists, with as many rows as a team has after a year: by an index.

The nightly run has its database there. The rows are made in the database itself, and the statements are those
that the product sends.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inference.models.request_record import RequestRecord
from inference.models.usage_hour import UsageHour
from inference.serving.usage.report import BYS, by_period, report
from inference.storage.postgresql_extensions import TRIGRAMS, has_extension
from playground.models import Conversation, Message
from playground.store import ConversationStore
from tests.nightly import nightly
from tests.people import signed_in
from tests.postgres import on_postgresql

PEOPLE, CHATS, MESSAGES, RECORDS, HOURS = 50, 5_000, 10_000, 20_000, 20_000
RECORD: dict[str, Any] = dict.fromkeys(
    ("queued_ms", "loading_ms", "prefill_ms", "decode_ms", "prompt_tokens", "completion_tokens"), 1
)
LARGE = ("playground_conversation", "playground_message", "playground_words", "inference_requestrecord")
_NUMBERED_CHATS = (
    "CREATE TEMP TABLE chats AS SELECT row_number() OVER () AS n, id FROM playground_conversation"
)
_MORE_MESSAGES = """
INSERT INTO playground_message
    (conversation_id, role, content, reasoning, calls, model, status, error, tokens, created_at)
SELECT chats.id, 'user', 'What is ' || md5(m.n::text) || ' in ' || repeat(md5((m.n * 7)::text) || ' ', 15),
    '', '[]', '', 'done', '', '[]', now()
FROM generate_series(1, %s) AS m(n) JOIN chats ON chats.n = 1 + m.n %% %s
"""
_FOLDED = """
UPDATE playground_words SET folded = m.content || chr(10) FROM playground_message m WHERE m.id = message_id
"""


def multiply(table_of: type[models.Model], count: int, **expressions: str) -> None:
    """Add copies of the table's first row, with these expressions of the copy's number `n`."""
    fields = [one for one in table_of._meta.concrete_fields if not isinstance(one, models.AutoField)]
    columns = ", ".join(f'"{one.column}"' for one in fields)
    values = ", ".join(expressions.get(one.name, f'"{one.column}"') for one in fields)
    table = table_of._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} "  # noqa: S608 - our own
            f"FROM (SELECT * FROM {table} LIMIT 1) AS first, generate_series(1, {count}) AS n"
        )


@pytest.fixture
def ann(db: None) -> User:
    """One of many people, in a database as it is after a year."""
    for number in range(PEOPLE):
        User.objects.create(username=f"person{number}", is_staff=True, is_superuser=True)
    ann, first = User.objects.get(username="person7"), User.objects.order_by("pk")[0].pk
    now = datetime.now(UTC)
    Conversation.objects.create(user=ann, title="A chat", changed_at=now)
    person, minutes = f"{first} + n % {PEOPLE}", "changed_at - n * interval '1 minute'"
    multiply(
        Conversation,
        CHATS,
        id="gen_random_uuid()",
        user=person,
        title="'Chat ' || n",
        changed_at=minutes,
    )
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERED_CHATS)
        cursor.execute(_MORE_MESSAGES, [MESSAGES, CHATS])
        cursor.execute(_FOLDED)
    RequestRecord.objects.create(
        at=now, principal_kind="user", principal="person7", model="m", kind="chat", cached_tokens=0, **RECORD
    )
    multiply(RequestRecord, RECORDS, at="at - n * interval '1 minute'", model="'model ' || n % 20")
    UsageHour.objects.create(hour=now - timedelta(days=365), model="m", caller_kind="user", account="person7")
    multiply(UsageHour, HOURS, hour="hour + (n / 5) * interval '1 hour'", model="'model ' || n % 5")
    with connection.cursor() as cursor:
        # What autovacuum does in time.
        cursor.execute("SELECT gin_clean_pending_list('playground_words_trigrams')")
        cursor.execute("ANALYZE")
    return ann


def plans(use: Callable[[], object]) -> list[str]:
    """The plan of each query that this makes."""
    with CaptureQueriesContext(connection) as made:
        use()
    found = []
    for query in made:
        sql = re.sub(r"^DECLARE .*? FOR ", "", query["sql"])
        if not sql.startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql.replace('%', '%%')}", [])
            found.append(sql + "\n" + "\n".join(row[0] for row in cursor.fetchall()))
    assert found
    return found


def read_as_a_whole(plan: str) -> list[str]:
    """The large tables that this plan reads from their beginning to their end."""
    return [table for table in (*LARGE, "inference_usagehour") if f"Seq Scan on {table}" in plan]


def assert_by_index(use: Callable[[], object]) -> None:
    for plan in plans(use):
        assert read_as_a_whole(plan) == [], plan


def the_list_of_chats(ann: User) -> None:
    store = ConversationStore(ann)
    assert len(store.page()["conversations"]) == 50
    assert_by_index(store.page)
    assert_by_index(lambda: store.page(offset=50))
    assert_by_index(store.sidebar)


def the_search_in_chats(ann: User) -> None:
    assert has_extension(TRIGRAMS)
    store = ConversationStore(ann)
    text = Message.objects.filter(conversation__user=ann).order_by("-pk")[0].content
    word = text.split()[2][:10]
    assert store.page(query=word)["conversations"]
    assert_by_index(lambda: store.page(query=word))
    assert_by_index(lambda: store.page(query="nothing-has-this"))


def a_chat(ann: User) -> None:
    store = ConversationStore(ann)
    chat = Conversation.objects.filter(user=ann)[0]
    assert_by_index(lambda: store.read(chat.pk))


def the_list_of_requests(ann: User) -> None:
    client: Client = signed_in(ann)

    def shown(query: str = "") -> None:
        assert client.get(f"/admin/inference/requestrecord/{query}").status_code == 200

    shown()
    for query in ("", "?p=3"):
        # Filters count all records for their choices, which is why records are not kept for ever.
        listed = [
            plan for plan in plans(partial(shown, query)) if 'ORDER BY "inference_requestrecord"."at"' in plan
        ]
        assert listed and not any(map(read_as_a_whole, listed)), listed


def the_usage_of_a_day(ann: User) -> None:
    for by in BYS:
        assert_by_index(partial(report, "24h", by))
        assert_by_index(lambda by=by: list(by_period("24h", by)))  # type: ignore[misc]


def what_is_read_as_a_whole_is_noticed(ann: User) -> None:
    (plan,) = plans(lambda: RequestRecord.objects.filter(error="x").exists())
    assert read_as_a_whole(plan) == ["inference_requestrecord"]


@nightly
@on_postgresql
def test_an_index_is_used_for(ann: User, subtests: pytest.Subtests) -> None:
    lists = (the_list_of_chats, the_search_in_chats, a_chat, the_list_of_requests, the_usage_of_a_day)
    for use in (*lists, what_is_read_as_a_whole_is_noticed):
        with subtests.test(use.__name__):
            use(ann)
