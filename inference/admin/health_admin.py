"""The admin's page of health: what is wrong, and what to do."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from msgspec import Struct

from inference.accounts.permissions import may_look
from inference.core import self_test_summary
from inference.core.installation import PROGRAM
from inference.models import HealthCheck, ServedModel
from inference.serving.health.finding import CheckResult
from inference.serving.health.report import HealthReport, report

if TYPE_CHECKING:
    HealthCheckAdminBase = admin.ModelAdmin[HealthCheck]
else:
    HealthCheckAdminBase = admin.ModelAdmin  # not generic at run time

_SEVERITIES = {"wrong": "Problem", "look": "Warning", "good": "OK"}
_MOST_MODELS = 100


class FindingRow(Struct, frozen=True, kw_only=True):
    """One finding with its severity in words."""

    severity: str
    result: CheckResult


class ModelLight(Struct, frozen=True, kw_only=True):
    """What a model's self-test comes to, in words."""

    name: str
    address: str
    text: str


@admin.register(HealthCheck)
class HealthCheckAdmin(HealthCheckAdminBase):
    """Whoever may view models may view it."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        return [path("", page, name="inference_healthcheck_changelist")]

    def has_view_permission(self, request: HttpRequest, obj: HealthCheck | None = None) -> bool:
        return may_look(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: HealthCheck | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: HealthCheck | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = report()
        context = self.admin_site.each_context(request) | {
            "title": "Health",
            "opts": self.opts,
            "state": found.state,
            "summary": summary(found),
            "is_complete": found.is_complete,
            "findings": _rows(found, is_good=False),
            "good": _rows(found, is_good=True),
            "models": _models(),
            "program": PROGRAM,
        }
        response = TemplateResponse(request, "admin/inference/health.html", context)
        add_never_cache_headers(response)
        return response


def summary(found: HealthReport) -> str:
    """The report in a sentence."""
    number = sum(1 for result in found.results if result.state != "good")
    if number:
        return "1 thing needs attention." if number == 1 else f"{number} things need attention."
    return "All is well." if found.is_complete else "All is well so far."


def _rows(found: HealthReport, *, is_good: bool) -> list[FindingRow]:
    return [
        FindingRow(severity=_SEVERITIES[result.state], result=result)
        for result in found.results
        if (result.state == "good") == is_good
    ]


def _models() -> list[ModelLight]:
    tested = ServedModel.objects.exclude(findings=None).only("name", "findings")[:_MOST_MODELS]
    return [
        ModelLight(
            name=model.name,
            address=reverse("admin:inference_servedmodel_change", args=[model.pk]),
            text=self_test_summary.summary(model.stored_findings).words,
        )
        for model in tested
    ]
