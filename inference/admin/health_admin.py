"""The admin's page of health: what is wrong, and what to do."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import reverse
from msgspec import Struct

from inference.accounts.permissions import may_look
from inference.admin.page_admin import PageAdmin
from inference.admin.permitted_links import may_open
from inference.core import self_test_summary
from inference.core.installation import PROGRAM
from inference.models import HealthCheck, ServedModel
from inference.serving.health.finding import CheckResult
from inference.serving.health.report import HealthReport, report

_SEVERITIES = {"wrong": "Problem", "look": "Warning", "good": "OK"}
_MOST_MODELS = 100


class FindingRow(Struct, frozen=True, kw_only=True):
    """One finding with its severity in words."""

    severity: str
    result: CheckResult
    link: str = ""  # where it is done, for those who may open that page


class ModelLight(Struct, frozen=True, kw_only=True):
    """What a model's self-test comes to, in words."""

    name: str
    address: str
    text: str


@admin.register(HealthCheck)
class HealthCheckAdmin(PageAdmin):
    """Whoever may view models may view it."""

    def has_view_permission(self, request: HttpRequest, obj: HealthCheck | None = None) -> bool:
        return may_look(request.user)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.check_may_view(request)  # before the checks run
        found = report()
        shown = {
            "state": found.state,
            "summary": summary(found),
            "is_complete": found.is_complete,
            "findings": _rows(request, found, is_good=False),
            "good": _rows(request, found, is_good=True),
            "models": _models(),
            "program": PROGRAM,
        }
        return self.page(request, "admin/inference/health.html", "Health", shown)


def summary(found: HealthReport) -> str:
    """The report in a sentence."""
    number = sum(1 for result in found.results if result.state != "good")
    if number:
        return "1 problem needs attention." if number == 1 else f"{number} problems need attention."
    return "No problems found." if found.is_complete else "No problems found so far."


def _rows(request: HttpRequest, found: HealthReport, *, is_good: bool) -> list[FindingRow]:
    return [
        FindingRow(
            severity=_SEVERITIES[result.state],
            result=result,
            link=result.link if result.link and may_open(request, result.link) else "",
        )
        for result in found.results
        if (result.state == "good") == is_good
    ]


def _models() -> list[ModelLight]:
    tested = ServedModel.objects.exclude(findings=None).only("name", "findings")[:_MOST_MODELS]
    return [
        ModelLight(
            name=model.name,
            address=reverse("admin:inference_servedmodel_change", args=[model.pk]),
            text=self_test_summary.summary(model.stored_findings).text,
        )
        for model in tested
    ]
