"""Deleting captured text in the admin."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from inference.models.request_record import Capture, RequestRecord
from tests.admin.test_capture_admin import CAPTURES
from tests.admin.test_request_admin import LIST, record
from tests.people import client_of
from tests.postgres import on_sqlite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("captures_end")]
NOW = datetime.now(UTC)
YES = {"confirmed": "Delete prompts and answers"}


def captured(model: str, ago: timedelta) -> RequestRecord:
    return record(model=model, at=NOW - ago, prompt="a question", answer="an answer")


def capture(began: timedelta, ended: timedelta) -> Capture:
    made = Capture.objects.create(until=NOW - ended, reason="a bug")
    Capture.objects.filter(pk=made.pk).update(began_at=NOW - began)
    return made


def wiping(*rows: RequestRecord | Capture, **more: str) -> dict[str, object]:
    return {"action": "wipe", "_selected_action": [row.pk for row in rows], **more}


def with_captured_text() -> set[str]:
    kept = RequestRecord.objects.with_captured_text(RequestRecord.objects.all())
    return set(kept.values_list("model", flat=True))


def test_the_text_of_a_capture_is_deleted_once_that_is_confirmed(staff: Client) -> None:
    for model, hours in {"before": 5, "in it": 3, "after": 1}.items():
        captured(model, timedelta(hours=hours))
    one = capture(timedelta(hours=4), timedelta(hours=2))
    asked = staff.post(CAPTURES, wiping(one)).content.decode()
    assert "prompts and answers of 1 request permanently" in asked and "A capture is active" not in asked
    assert with_captured_text() == {"before", "in it", "after"}
    staff.post(CAPTURES, wiping(one, **YES))
    assert with_captured_text() == {"before", "after"} and RequestRecord.objects.count() == 3
    assert "of 1 request" in LogEntry.objects.get().get_change_message()


def test_the_text_of_chosen_requests_is_deleted(staff: Client) -> None:
    one, _ = captured("one", timedelta()), captured("two", timedelta())
    shown = staff.post(LIST, wiping(one, **YES), follow=True).content.decode()
    assert "The prompts and answers of 1 request are deleted." in shown and with_captured_text() == {"two"}
    assert (
        "No prompts or answers of these requests are stored."
        in staff.post(LIST, wiping(one), follow=True).content.decode()
    )


def test_all_of_a_list_are_those_of_its_filters_beyond_its_first_page(staff: Client) -> None:
    rows = [captured("one", timedelta()) for _ in range(51)]
    captured("two", timedelta())
    chosen = wiping(rows[0], select_across="1")
    page = staff.post(f"{LIST}?model=one", chosen).content.decode()
    assert "of 51 requests" in page and 'name="select_across" value="1"' in page
    assert '<form method="post">' in page  # back to the same address
    staff.post(f"{LIST}?model=one", chosen | YES)
    assert with_captured_text() == {"two"}


def test_a_user_that_wipes_learns_that_a_capture_goes_on(staff: Client) -> None:
    captured("one", timedelta())
    going_on = capture(timedelta(hours=1), timedelta(hours=-1))
    assert "A capture is active" in staff.post(CAPTURES, wiping(going_on)).content.decode()


@on_sqlite
def test_what_is_deleted_is_overwritten_in_the_file() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone() == (1,)


def test_only_a_user_that_may_change_captures_deletes_text() -> None:
    one = captured("one", timedelta())
    viewer = client_of("bob", "view_requestrecord", "read_captured")
    viewer.post(LIST, wiping(one, **YES))
    assert with_captured_text() == {"one"}
    assert "Delete the stored prompts and answers" not in viewer.get(LIST).content.decode()
    keeper = client_of("ann", "view_requestrecord", "change_capture")
    assert "Delete the stored prompts and answers" in keeper.get(LIST).content.decode()
    keeper.post(LIST, wiping(one, **YES))
    assert not with_captured_text()


def test_a_capture_is_not_deleted_while_what_it_kept_stays(staff: Client) -> None:
    one = capture(timedelta(hours=2), timedelta(hours=1))
    assert "delete_selected" not in staff.get(CAPTURES).content.decode()
    assert staff.post(f"{CAPTURES}{one.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Capture.objects.exists()
