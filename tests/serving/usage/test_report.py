"""Reports of usage from the table of hours."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inference.models.usage_hour import UsageHour
from inference.serving.usage.report import MOST_SERIES, OTHERS, UsageFigures, by_period, report
from tests.accounts.making import make_key
from tests.postgres import on_sqlite

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)


def used(hour: datetime = NOW, **changes: Any) -> None:
    facts = {"model": "tiny", "caller_kind": "local", "requests": 1, "prompt_tokens": 5}
    hour = hour.replace(minute=0)
    UsageHour.objects.create(**({"hour": hour} | facts | changes))


def test_models_are_added_up_with_the_most_tokens_first() -> None:
    used(model="small", prompt_tokens=1)
    used(model="large", prompt_tokens=50, completion_tokens=7, cached_tokens=20, errors=1)
    used(NOW - timedelta(hours=2), model="large", prompt_tokens=3)
    found = report("24h", "model", now=NOW)
    assert [row.name for row in found.rows] == ["large", "small"]
    large = UsageFigures(requests=2, errors=1, prompt_tokens=53, cached_tokens=20, completion_tokens=7)
    assert found.rows[0].figures == large
    assert found.total == large + UsageFigures(requests=1, prompt_tokens=1)
    values = [series.values[-3:] for series in found.series if series.name == "large"][0]
    assert [value.prompt_tokens for value in values] == [3, 0, 50]


def test_the_90th_day_counts_and_the_hour_before_it_does_not() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 7, 28, tzinfo=zone).astimezone(UTC)
    used(first, prompt_tokens=3)
    used(first - timedelta(hours=1), prompt_tokens=100)
    found = report("90d", "model", zone, NOW)
    assert found.total.prompt_tokens == found.series[0].values[0].prompt_tokens == 3
    assert len(found.periods) == 90


def test_an_hour_that_comes_twice_is_counted_in_each() -> None:
    for hour in (0, 1):
        used(NOW.replace(hour=hour), prompt_tokens=hour + 1)
    found = report("24h", "model", ZoneInfo("Europe/Berlin"), NOW)
    at_two = [
        value.prompt_tokens
        for period, value in zip(found.periods, found.series[0].values, strict=True)
        if period.start.hour == 2
    ]
    assert at_two == [1, 2]


def test_more_names_than_colours_are_shown_together() -> None:
    for number in range(MOST_SERIES + 3):
        used(model=f"m{number}", prompt_tokens=100 - number)
    found = report("24h", "model", now=NOW)
    assert [series.name for series in found.series][-1] == OTHERS and len(found.series) == MOST_SERIES + 1
    assert found.series[-1].values[-1].requests == 3
    assert len(found.rows) == MOST_SERIES + 3
    assert sum(series.values[-1].prompt_tokens for series in found.series) == found.total.prompt_tokens


def test_keys_and_accounts_that_are_gone_keep_their_names() -> None:
    key, _ = make_key(name="laptop")
    own: dict[str, Any] = {"caller_kind": "key", "account": "ann"}
    used(**own, key_prefix=key.prefix, key_name="as it was")
    used(**own, key_prefix="mlx-000000000000", key_name="phone")
    used(caller_kind="user", account="gone", model="two")
    used(caller_kind="key", model="two")
    used()
    names = {row.name for row in report("24h", "key", now=NOW).rows}
    assert names == {
        f"laptop ({key.prefix}…)",
        "phone (mlx-000000000000…, deleted)",
        *("signed-in browsers", "the operator's key", "this machine"),
    }
    accounts = {row.name: row.figures.requests for row in report("24h", "user", now=NOW).rows}
    assert accounts == {"ann": 2, "gone (deleted)": 1, "no account": 2}


def test_nothing_was_used() -> None:
    found = report("7d", "key", now=NOW)
    assert (found.rows, found.series, found.total) == ((), (), UsageFigures())


def test_each_name_has_a_row_for_each_of_its_periods() -> None:
    used(model="a", prompt_tokens=1)
    used(NOW - timedelta(hours=1), model="a", prompt_tokens=2)
    used(NOW - timedelta(days=3), model="b", prompt_tokens=4)
    rows = [
        (row.start.day, row.name, row.figures.prompt_tokens) for row in by_period("30d", "model", now=NOW)
    ]
    assert rows == [(22, "b", 4), (25, "a", 3)]


@on_sqlite  # on PostgreSQL: tests/storage/test_postgresql_plans.py
@pytest.mark.parametrize("by", ["model", "key", "user"])
def test_no_query_reads_more_than_the_hours_of_its_range(by: Any) -> None:
    used()
    with CaptureQueriesContext(connection) as asked:
        report("24h", by, now=NOW)
        list(by_period("24h", by, now=NOW))
    queries = [query["sql"] for query in asked if '"hour" >=' in query["sql"]]
    assert len(queries) == 3
    for sql in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
            plan = " / ".join(row[-1] for row in cursor.fetchall())
        assert "SEARCH inference_usagehour USING" in plan and "(hour>?)" in plan, plan
