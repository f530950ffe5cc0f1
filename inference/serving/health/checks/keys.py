"""Keys that end soon, and keys that nobody uses."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from inference.core.text_direction import isolated
from inference.models.api_key import ApiKey
from inference.serving.health.finding import CheckResult

_SOON = timedelta(days=14)
_UNUSED = timedelta(days=30)
_MOST = 20  # of each kind


def check() -> Iterator[CheckResult]:
    now = datetime.now(UTC)
    keys = ApiKey.objects.filter(is_revoked=False)
    until = keys.filter(expires_at__gt=now, expires_at__lte=now + _SOON)
    ending = list(until.select_related("owner").order_by("expires_at")[:_MOST])
    never = keys.filter(last_used_at=None, created_at__lt=now - _UNUSED)
    unused = [key for key in never.select_related("owner")[:_MOST] if key.state == "good"]
    yield from (_ending(key, (key.expires_at - now).days) for key in ending if key.expires_at)
    yield from (_unused(key) for key in unused if key not in ending)
    if not ending and not unused:
        yield CheckResult(about="keys", text="none ends soon, and all are used")


def _name(key: ApiKey) -> str:
    return f"“{isolated(key.name)}” of {isolated(str(key.owner))}"


def _ending(key: ApiKey, days: int) -> CheckResult:
    when = "in less than a day" if days < 1 else "in a day" if days == 1 else f"in {days} days"
    text = f"The key {_name(key)} expires {when}."
    advice = "Renew it: it gets a new secret and a later expiry date."
    link = f"/admin/inference/apikey/{key.pk}/renew/"
    return CheckResult(about="keys", text=text, state="look", advice=advice, link=link)


def _unused(key: ApiKey) -> CheckResult:
    text = f"The key {_name(key)} was never used."
    advice = "Revoke it if it is not needed."
    link = f"/admin/inference/apikey/{key.pk}/change/"
    return CheckResult(about="keys", text=text, state="look", advice=advice, link=link)
