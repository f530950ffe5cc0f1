"""Times in the visitor's time zone, with UTC on hover; the script time-zone.js names the zone in a cookie."""

from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils.html import format_html

from inference.serving.usage.span import zone_named

COOKIE = "mlxsite_zone"
_SECONDS = "%Y-%m-%d %H:%M:%S"


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone of the visitor's browser; UTC before its script has named one, or without JavaScript."""
    return zone_named(unquote(request.COOKIES.get(COOKIE, ""))) or UTC


def local_time(moment: datetime, zone: tzinfo, form: str = _SECONDS) -> str:
    """The moment as HTML, in local time."""
    local = moment.astimezone(zone)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        local.isoformat(timespec="seconds"),
        moment.astimezone(UTC).strftime(_SECONDS),
        local.strftime(form),
    )


def zone_name(zone: tzinfo, moment: datetime) -> str:
    """What people call the zone: Europe/Berlin, or UTC."""
    return getattr(zone, "key", None) or moment.astimezone(zone).tzname() or "UTC"
