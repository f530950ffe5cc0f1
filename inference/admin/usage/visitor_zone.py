"""The visitor's time zone, in whose hours and days usage is counted; time-zone.js names it in a cookie."""

from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote

from django.http import HttpRequest

from inference.serving.usage.span import zone_named

COOKIE = "mlxsite_zone"


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone of the visitor's browser; UTC before its script has named one, or without JavaScript."""
    return zone_named(unquote(request.COOKIES.get(COOKIE, ""))) or UTC


def zone_name(zone: tzinfo, moment: datetime) -> str:
    """What people call the zone: Europe/Berlin, or UTC."""
    return getattr(zone, "key", None) or moment.astimezone(zone).tzname() or "UTC"
