"""Deleting captured prompts and answers, after a page that asks for confirmation."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from inference.accounts import audit_log
from inference.models.request_record import Capture, RequestRecord
from inference.serving.recording.capture_switch import SWITCH

WIPE = "Delete the stored prompts and answers"  # the action's name
_NONE = "No prompts or answers of these requests are stored."


def has_wipe_permission(request: HttpRequest) -> bool:
    """Whether this user manages captures, and so may delete what they stored."""
    return request.user.has_perm("inference.change_capture")


def confirm_and_wipe(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, records: QuerySet[RequestRecord]
) -> HttpResponse | None:
    """Ask for confirmation, or once confirmed delete the prompts and answers of `records`; the records stay.

    Returns the confirmation page, or None to go back to the list, with a message.
    """
    if not (count := RequestRecord.objects.with_captured_text(records).count()):
        model_admin.message_user(request, _NONE, messages.WARNING)
        return None
    if "confirmed" not in request.POST:
        return _page(model_admin, request, count)
    wiped = _requests(RequestRecord.objects.delete_captured_text(records))
    audit_log.write(request.user, Capture, wiped, f"Deleted the prompts and answers of {wiped}.")
    model_admin.message_user(request, f"The prompts and answers of {wiped} are deleted.", messages.SUCCESS)
    return None


def _page(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, count: int) -> TemplateResponse:
    context = model_admin.admin_site.each_context(request) | {
        "title": "Delete the stored prompts and answers?",
        "opts": model_admin.opts,
        "crumb": "Delete prompts and answers",
        "requests": _requests(count),
        "is_capturing": SWITCH.is_on(),
        "selected": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),  # all of the list, not only this page of it
    }
    return TemplateResponse(request, "admin/inference/wiping.html", context)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"
