from datetime import UTC, datetime, timedelta

import pytest

from inference.models.request_record import Capture
from inference.serving.recording.capture_switch import SWITCH, Switch


def test_it_is_off_and_goes_off_by_itself() -> None:
    at = [10.0]
    switch = Switch(lambda: at[0])
    assert not switch.is_on()
    switch.set(20)
    assert switch.is_on()
    assert switch.until == 20
    at[0] = 20
    assert not switch.is_on() and switch.until == 0


@pytest.mark.django_db(transaction=True)
def test_what_was_begun_and_stopped_here_is_felt_at_once() -> None:
    capture = Capture.objects.create(until=datetime.now(UTC) + timedelta(hours=1), reason="a bug")
    assert SWITCH.is_on()
    capture.stop()
    assert not SWITCH.is_on()


@pytest.mark.django_db(transaction=True)
def test_the_last_of_several_ends_counts() -> None:
    for hours in (2, 1):
        Capture.objects.create(until=datetime.now(UTC) + timedelta(hours=hours), reason="a bug")
    end = Capture.objects.end()
    assert end and end > datetime.now(UTC) + timedelta(minutes=90)
    for capture in Capture.objects.all():
        capture.stop()
    assert Capture.objects.end() is None and not SWITCH.is_on()
