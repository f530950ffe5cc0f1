"""Deleting the words that were kept of requests, behind a page that asks first."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from inference.admin import audit_log
from inference.models.request_record import Capture, RequestRecord
from inference.serving.recording.capture_switch import SWITCH

_NONE = "Nothing was kept of these requests, or it is deleted already."


def may_wipe(request: HttpRequest) -> bool:
    """Whether this user decides about captures, and so about what they kept."""
    return request.user.has_perm("inference.change_capture")


def wipe(
    shown_by: "admin.ModelAdmin[Any]", request: HttpRequest, records: QuerySet[RequestRecord]
) -> HttpResponse | None:
    """Ask, or once that is answered delete the words of these requests; their records stay."""
    if not (count := RequestRecord.objects.with_captured_text(records).count()):
        shown_by.message_user(request, _NONE, messages.WARNING)
        return None
    if "confirmed" not in request.POST:
        return _page(shown_by, request, count)
    wiped = _requests(RequestRecord.objects.delete_captured_text(records))
    audit_log.write(request, Capture, wiped, f"Deleted the words that were kept of {wiped}.")
    shown_by.message_user(request, f"The words of {wiped} are deleted.", messages.SUCCESS)
    return None


def _page(shown_by: "admin.ModelAdmin[Any]", request: HttpRequest, count: int) -> TemplateResponse:
    context = shown_by.admin_site.each_context(request) | {
        "title": "Delete the words that were kept?",
        "opts": shown_by.opts,
        "requests": _requests(count),
        "is_capturing": SWITCH.is_on(),
        "selected": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),  # all of the list, not only this page of it
    }
    return TemplateResponse(request, "admin/inference/wiping.html", context)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"
