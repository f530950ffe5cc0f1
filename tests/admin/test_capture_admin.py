"""The admin's pages of captures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from inference.models.request_record import Capture
from inference.serving.recording.capture_switch import SWITCH
from tests.admin.test_request_admin import LIST, page, viewer
from tests.people import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("captures_end")]
CAPTURES, BEGIN = reverse("admin:inference_capture_changelist"), reverse("admin:inference_capture_add")
BANNER = "Prompts and answers are stored until"


def until(hours: float) -> dict[str, str]:
    end = datetime.now(UTC) + timedelta(hours=hours)
    return {"until": f"{end:%Y-%m-%dT%H:%M:%S}", "reason": "a bug"}


def test_a_capture_is_shown_on_every_page_until_it_is_stopped(staff: Client) -> None:
    assert BANNER not in page(staff) and not SWITCH.is_on()
    assert staff.post(BEGIN, until(1)).status_code == 302
    assert SWITCH.is_on()
    assert all(BANNER in page(staff, address) for address in (LIST, CAPTURES, reverse("admin:index")))
    capture = Capture.objects.get()
    assert capture.began_by and capture.began_by.username == "admin"
    assert 'field-state">active<' in page(staff, CAPTURES)
    staff.post(CAPTURES, {"action": "stop", "_selected_action": [capture.pk]})
    assert not SWITCH.is_on() and BANNER not in page(staff)
    assert 'field-state">active<' not in page(staff, CAPTURES)


@pytest.mark.parametrize("hours", [-1, 24 * 8])
def test_a_capture_has_an_end_that_is_not_far(staff: Client, hours: float) -> None:
    assert "Enter a future time, at most 7 days" in staff.post(BEGIN, until(hours)).content.decode()
    assert not Capture.objects.exists()


def test_the_banner_is_for_staff(staff: Client) -> None:
    staff.post(BEGIN, until(1))
    assert BANNER in page(viewer())
    assert BANNER not in page(Client(headers={"host": "127.0.0.1"}), reverse("admin:login"))


def test_a_rows_button_stops_a_capture(staff: Client) -> None:
    staff.post(BEGIN, until(1))
    act, number = reverse("admin:inference_capture_act"), Capture.objects.get().pk
    assert f'name="act" value="stop {number}"' in page(staff, CAPTURES)
    assert client_of("ann", "view_capture").post(act, {"act": f"stop {number}"}).status_code == 403
    assert staff.post(act, {"act": "stop ²"}).status_code == 302
    assert SWITCH.is_on()
    assert "Stopped: a bug." in staff.post(act, {"act": f"stop {number}"}, follow=True).content.decode()
    assert not SWITCH.is_on() and 'name="act"' not in page(staff, CAPTURES)
