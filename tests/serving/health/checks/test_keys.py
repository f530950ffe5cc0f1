"""Keys that end soon, and keys that nobody uses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from inference.models.api_key import ApiKey
from inference.serving.health.checks import keys
from tests.accounts.making import make_key

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def key(name: str, days_old: float = 0, **facts: Any) -> None:
    made, _ = make_key(name=name, **facts)
    ApiKey.objects.filter(pk=made.pk).update(created_at=NOW - timedelta(days=days_old))


def test_ends_and_disuse_are_told_of() -> None:
    key("ends", expires_at=NOW + timedelta(days=3, hours=1))
    key("ends today", expires_at=NOW + timedelta(hours=2))
    key("ends late", expires_at=NOW + timedelta(days=90))
    key("over", 40, expires_at=NOW - timedelta(days=1))
    key("revoked", 40, is_revoked=True)
    key("unused", 40)
    key("new")
    key("used", 40, last_used_at=NOW)
    texts = [result.text for result in keys.check()]
    assert texts == [
        "The key “ends today” of ann expires in less than a day.",
        "The key “ends” of ann expires in 3 days.",
        "The key “unused” of ann was never used.",
    ]


def test_a_name_from_right_to_left_turns_nothing_around_it() -> None:
    make_key(name="مفتاح 2", expires_at=NOW + timedelta(days=3, hours=1))
    assert [one.text for one in keys.check()] == ["The key “\u2068مفتاح 2\u2069” of ann expires in 3 days."]


def test_all_is_well_also_where_old_keys_are_over() -> None:
    key("over", 40, expires_at=NOW - timedelta(days=1))
    (result,) = keys.check()
    assert result.state == "good"


def test_a_key_that_ends_is_renewed_at_its_link() -> None:
    made, _ = make_key(expires_at=NOW + timedelta(days=3))
    (result,) = keys.check()
    assert "Renew it" in result.advice and result.link == reverse(
        "admin:inference_apikey_renew", args=[made.pk]
    )
