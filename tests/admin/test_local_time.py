"""Times in the visitor's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.test import RequestFactory

from inference.admin.local_time import COOKIE, local_time, zone_name, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_is_local_with_utc_on_hover() -> None:
    assert local_time(MOMENT, BERLIN) == (
        '<time datetime="2026-10-25T02:30:00+02:00" title="2026-10-25 00:30:00 UTC">'
        "2026-10-25 02:30:00</time>"
    )
    assert "02:30:00+01:00" in local_time(MOMENT.replace(hour=1), BERLIN)


def test_the_zone_is_the_browsers_if_there_is_such_a_zone() -> None:
    request = RequestFactory().get("/")
    assert zone_of(request) is UTC
    request.COOKIES[COOKIE] = "Europe%2FBerlin"
    assert zone_of(request) == BERLIN
    request.COOKIES[COOKIE] = "<script>"
    assert zone_of(request) is UTC


def test_a_zone_has_a_name() -> None:
    assert (zone_name(BERLIN, MOMENT), zone_name(UTC, MOMENT)) == ("Europe/Berlin", "UTC")
