"""Workers that died in the last day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max

from inference.models import PoolEvent
from inference.serving.health.finding import CheckResult

_RECENT = timedelta(days=1)
_OFTEN = 3
_MOST = 20
_ADVICE = "The scheduler events say why. If it continues, lower its longest context, or use a smaller model."
_LINK = "/admin/inference/poolevent/?kind=died"


def check() -> Iterator[CheckResult]:
    recent = PoolEvent.objects.filter(kind="died", at__gte=datetime.now(UTC) - _RECENT)
    counted = recent.order_by().values_list("model").annotate(number=Count("pk"), last=Max("pk"))
    found = list(counted.order_by("-number", "model")[:_MOST])
    reasons = dict(PoolEvent.objects.filter(pk__in=[last for *_, last in found]).values_list("pk", "text"))
    for _, number, last in found:
        times = "once" if number == 1 else f"{number} times"
        yield CheckResult(
            about="worker deaths",
            text=f"{reasons[last]}; {times} in the last day",
            state="wrong" if number >= _OFTEN else "look",
            advice=_ADVICE,
            link=_LINK,
        )
    if not found:
        yield CheckResult(about="worker deaths", text="none in the last day")
