"""What is known of requests that are over, as data."""

from datetime import UTC, datetime, timedelta

import pytest

from inference.serving.recording import request_report
from tests.accounts.making import make_key
from tests.admin.test_request_admin import record

pytestmark = pytest.mark.django_db


def test_the_newest_are_first_and_no_more_than_asked_for() -> None:
    now = datetime.now(UTC)
    for number in range(3):
        record(at=now - timedelta(minutes=number), model=f"model-{number}")
    assert [one.model for one in request_report.newest(2)] == ["model-0", "model-1"]


def test_of_an_id_that_comes_twice_the_newest_is_meant() -> None:
    now = datetime.now(UTC)
    record(at=now, request_id="req_1", model="new")
    record(at=now - timedelta(minutes=1), request_id="req_1", model="old")
    record()  # one without an id
    found = request_report.of("req_1")
    assert found and found.model == "new"
    assert request_report.of("req_2") is None and request_report.of("") is None


def test_a_caller_has_the_name_that_people_gave_it() -> None:
    key, _ = make_key(name="laptop")
    rows = (
        record(key=key, principal_kind="key", principal=key.prefix),
        record(principal_kind="user", principal="ann"),
        record(principal_kind="key"),
        record(),
    )
    names = ["laptop", "ann", "the operator's key", "this machine"]
    assert [request_report.caller_of(row) for row in rows] == names
