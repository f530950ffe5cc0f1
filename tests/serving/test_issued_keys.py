"""The ends of keys, and the keys that are stored; who may do what is tests/api/operator/test_keys.py."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from inference.core.errors import InvalidValue, ModelNotFound, NotFound
from inference.serving import issued_keys
from inference.serving.issued_keys import KeyWishes
from tests.each import each
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db


@each(
    ("text", "end"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T10:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        ("2027-01-31T10:00+02:00", datetime(2027, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_an_end_is_in_utc_unless_it_names_a_zone(text: str, end: datetime) -> None:
    assert issued_keys.end_of(text) == end


def test_an_end_is_a_number_of_days_from_now() -> None:
    left = issued_keys.end_of("30d") - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@each("text", ["", "d", "tomorrow", "30", "2027-13-01", "999999d", "9999-12-31T23:00-23:00"])
def test_an_end_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give days such as 30d"):
        issued_keys.end_of(text)


def test_a_refused_key_is_not_stored() -> None:
    ann = User.objects.create_user("ann")
    with serving(FakeRunner(), cards=[card("tiny")]):
        with pytest.raises(ModelNotFound) as unknown:
            issued_keys.issue(KeyWishes(name="x", models=["nobody"]), ann)
        with pytest.raises(InvalidValue) as late:
            issued_keys.issue(KeyWishes(name="x", expires=datetime(2020, 1, 1, tzinfo=UTC)), ann)
    assert (unknown.value.param, late.value.param) == ("models", "expires")
    assert issued_keys.listed() == []


def test_a_renewed_one_has_as_much_time_as_before() -> None:
    ann = User.objects.create_user("ann")
    made = issued_keys.issue(KeyWishes(name="x", expires=issued_keys.end_of("30d")), ann)
    renewed = issued_keys.renew(made.prefix, ann, expires=None, grace=timedelta(hours=1))
    assert renewed.expires_at and made.expires_at and renewed.expires_at >= made.expires_at
    assert (renewed.prefix, renewed.secret != made.secret) == (made.prefix, True)
    with pytest.raises(NotFound):
        issued_keys.revoke("nothing", ann)
