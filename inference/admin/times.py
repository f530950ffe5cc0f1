"""Times and durations as pages show them; static/inference/local-time.js makes times the visitor's own."""

from datetime import UTC, datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

NEVER = "never"


def local_time(moment: datetime | None, *, has_seconds: bool = False) -> SafeString:
    """A `<time>` element; without a script it reads in UTC and says so. None is "never"."""
    if moment is None:
        return format_html("{}", NEVER)
    utc = moment.astimezone(UTC)
    text = f"{utc:%Y-%m-%d %H:%M:%S}" if has_seconds else f"{utc:%Y-%m-%d %H:%M}"
    return format_html('<time datetime="{}">{} UTC</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", text)


def seconds(milliseconds: int) -> str:
    """A duration in seconds, with as many digits as one can use: "0.004 s", "0.04 s", "1.3 s", "123 s"."""
    if not milliseconds:
        return "0 s"
    amount = milliseconds / 1000
    if amount >= 100:
        return f"{amount:,.0f} s"
    if amount >= 1:
        return f"{amount:.1f} s"
    return f"{amount:.2f} s" if amount >= 0.01 else f"{amount:.3f} s"
