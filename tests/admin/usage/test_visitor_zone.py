"""The zone of the visitor's browser."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.test import RequestFactory

from inference.admin.usage.visitor_zone import COOKIE, zone_name, zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_zone_is_the_browsers_if_there_is_such_a_zone() -> None:
    request = RequestFactory().get("/")
    assert zone_of(request) is UTC
    request.COOKIES[COOKIE] = "Europe%2FBerlin"
    assert zone_of(request) == BERLIN
    request.COOKIES[COOKIE] = "<script>"
    assert zone_of(request) is UTC


def test_a_zone_has_a_name() -> None:
    moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (zone_name(BERLIN, moment), zone_name(UTC, moment)) == ("Europe/Berlin", "UTC")
