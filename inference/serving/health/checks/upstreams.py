"""Upstreams that are given no requests although they are enabled, and those that fail."""

from collections.abc import Iterator

from inference.models import Upstream
from inference.serving.health.finding import CheckResult
from inference.serving.upstreams import status_text
from inference.storage.upstream_routes import address_problem

_LINK = "/admin/inference/upstream/"


def check() -> Iterator[CheckResult]:
    rows = list(Upstream.objects.filter(is_enabled=True).prefetch_related("models"))
    found = [result for row in rows if (result := _result(row))]
    if found:
        yield from found
    elif rows:
        yield CheckResult(about="upstreams", text="none fails")


def _result(row: Upstream) -> CheckResult | None:
    link = f"{_LINK}{row.pk}/change/"
    if problem := address_problem(row):
        advice = "Enter its key again, or add its host to the setting."
        text = f"{row.name} gets no requests: {problem}."
        return CheckResult(about="upstreams", text=text, state="wrong", advice=advice, link=link)
    failing = [text for model in row.models.all() if (text := status_text(model)).startswith("failing")]
    if not failing:
        return None
    text = f"{row.name} is {failing[0]}."
    return CheckResult(about="upstreams", text=text, state="look", advice="Test it there.", link=link)
