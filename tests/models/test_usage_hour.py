"""Hours of usage: what is added to them, and when they are forgotten."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from inference.models.request_record import RequestRecord
from inference.models.usage_hour import KEPT_DAYS, UsageHour
from tests.accounts.making import make_key
from tests.admin.test_request_admin import record

pytestmark = pytest.mark.django_db(transaction=True)
fill = import_module("inference.migrations.0021_usage_by_hour").fill


def an_hour(back: timedelta = timedelta(), **changes: Any) -> UsageHour:
    hour = (datetime.now(UTC) - back).replace(minute=0, second=0, microsecond=0)
    facts: dict[str, Any] = {"hour": hour, "model": "tiny", "caller_kind": "local", "requests": 1}
    return UsageHour(**(facts | changes))


def test_the_same_hour_is_added_up_and_takes_the_newest_name_of_the_key() -> None:
    own: dict[str, Any] = {"caller_kind": "key", "key_prefix": "mlx-0123"}
    UsageHour.objects.add(an_hour(**own, key_name="old", prompt_tokens=5))
    UsageHour.objects.add(an_hour(**own, key_name="new", prompt_tokens=7, errors=1))
    UsageHour.objects.add(an_hour(**own, key_name="new", model="other"))
    row = UsageHour.objects.get(model="tiny")
    assert (row.requests, row.prompt_tokens, row.errors, row.key_name) == (2, 12, 1, "new")
    assert UsageHour.objects.count() == 2


def test_hours_of_90_days_are_kept_and_older_ones_are_not() -> None:
    for days in (0, 90, KEPT_DAYS + 1):
        an_hour(timedelta(days=days)).save()
    UsageHour.objects.retain()
    assert UsageHour.objects.count() == 2


def test_there_are_never_more_rows_than_the_limit() -> None:
    for number in range(5):
        an_hour(model=f"m{number}").save()
    UsageHour.objects.retain(rows=2)
    assert set(UsageHour.objects.values_list("model", flat=True)) == {"m3", "m4"}


def test_the_migration_adds_up_the_records_that_there_are() -> None:
    key, _ = make_key(name="laptop")
    at = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)
    of_key = {"key": key, "principal_kind": "key", "principal": key.prefix}
    for minute in (0, 59):
        record(at=at.replace(minute=minute), prompt_tokens=5, cached_tokens=2, completion_tokens=3, **of_key)
    record(at=at, error="queue_full", **of_key)
    record(at=at.replace(hour=1), principal_kind="user", principal="bob")
    record(at=at, model="made up", error="model_not_found")
    fill(apps, connection.schema_editor())
    rows = {(row.hour.hour, row.model, row.account): row for row in UsageHour.objects.all()}
    assert set(rows) == {(0, "tiny", "ann"), (1, "tiny", "bob"), (0, "", "")}
    of_ann = rows[0, "tiny", "ann"]
    assert (of_ann.requests, of_ann.errors, of_ann.key_name) == (3, 1, "laptop")
    assert (of_ann.prompt_tokens, of_ann.cached_tokens, of_ann.completion_tokens) == (10, 4, 6)
    assert RequestRecord.objects.count() == 5
