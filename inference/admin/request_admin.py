"""The admin's pages of request records, with the prompts and answers that a capture stored."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from inference.accounts.permissions import may_act, may_look
from inference.admin import captured_text, endings, request_timeline
from inference.admin.capture_deletion import WIPE, confirm_and_wipe, has_wipe_permission
from inference.admin.dashboard.page import MOST_STREAMS
from inference.admin.dashboard.rows import stream_row
from inference.admin.frequent_values import FrequentRows, FrequentValues
from inference.admin.times import local_time, seconds
from inference.admin.wording import short
from inference.models.api_key import ApiKey
from inference.models.request_record import RequestRecord
from inference.serving.active_requests import STREAMS
from inference.serving.recording.request_phases import phases, total_ms
from inference.serving.recording.request_report import NAMELESS, caller_of

if TYPE_CHECKING:
    RequestRecordAdminBase = admin.ModelAdmin[RequestRecord]
else:
    RequestRecordAdminBase = admin.ModelAdmin  # not generic at run time

_CAPTURED = ("prompt", "answer")
_NOT_STORED = "Not stored: no capture was active, or the text was deleted."
_FORBIDDEN = "Stored. Reading them requires the permission “Can read captured prompts and answers”."


class FinishFilter(FrequentValues):
    """Finish reasons in words."""

    text_of = staticmethod(endings.finish_text)


class ErrorFilter(FrequentValues):
    """Codes of errors in words."""

    text_of = staticmethod(endings.error_text)


_TOKEN_COUNTS = ("prompt_token_count", "cached_token_count", "answer_token_count", "drafted_token_count")


@admin.register(RequestRecord)
class RequestRecordAdmin(RequestRecordAdminBase):
    list_display = ("ended_at", "caller_and_kind", "short_model", "ending", "tokens", "duration")
    list_filter = (
        ("at", admin.DateFieldListFilter),
        ("key", FrequentRows),
        *(
            "principal_kind",
            ("dialect", FrequentValues),
            "kind",
            ("finish", FinishFilter),
            ("error", ErrorFilter),
            "has_left",
        ),
        ("model", FrequentValues),
    )
    list_select_related = ("key",)
    search_fields = ("principal", "key__name", "model", "request_id", "finish", "error")
    search_help_text = (
        "Searches the caller, the model, the request id, and how it ended. "
        "Stored prompts and answers are not searched."
    )
    list_per_page = 50
    actions = ("wipe",)
    change_list_template = "admin/inference/requests.html"
    show_full_result_count = False

    class Media:
        css = {"all": ["css/console.css"]}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, below the requests in progress, which are not recorded yet."""
        keys = dict(ApiKey.objects.values_list("prefix", "name"))
        now, streams = time.time(), STREAMS.snapshot() if may_look(request.user) else ()
        rows = [stream_row(stream, keys, now) for stream in streams[:MOST_STREAMS]]
        more = {"streams": rows, "may_act": may_act(request.user)}
        return super().changelist_view(request, (extra_context or {}) | more)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequestRecord]:
        # These texts are large: the list shows none, and the page of one record loads its own.
        return super().get_queryset(request).defer(*_CAPTURED, "noted")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RequestRecord], search_term: str
    ) -> tuple[QuerySet[RequestRecord], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        for kind, shown in NAMELESS.items():
            if search_term in {kind, shown} or (len(search_term) > 3 and search_term.lower() in shown):
                found |= queryset.filter(principal_kind=kind, principal="")
        if len(search_term) > 3:
            found |= queryset.filter(endings.like(search_term))
        return found, may_repeat

    def get_fieldsets(self, request: HttpRequest, obj: RequestRecord | None = None) -> Any:
        may_read = request.user.has_perm("inference.read_captured")
        log = ("log",) if request.user.has_perm("inference.view_logline") and obj else ()
        decisions = ("decisions",) if request.user.has_perm("inference.view_poolevent") else ()
        captured = ("captured_prompt", "captured_answer") if may_read else ("capture_notice",)
        return [
            (None, {"fields": ("ended_at", "caller", "model", "kind", "dialect", "ending")}),
            ("Request", {"fields": ("request_id", "noted", *log)}),
            (
                "Tokens",
                {
                    "fields": (
                        "prompt_token_count",
                        "cached_token_count",
                        "answer_token_count",
                        "drafted_token_count",
                    )
                },
            ),
            ("Time", {"fields": ("time_of_phases", *decisions)}),
            ("Prompt and answer", {"fields": captured}),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: RequestRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RequestRecord | None = None) -> bool:
        return False

    def has_wipe_permission(self, request: HttpRequest) -> bool:
        return has_wipe_permission(request)

    @admin.action(description=WIPE, permissions=["wipe"])
    def wipe(self, request: HttpRequest, queryset: QuerySet[RequestRecord]) -> HttpResponse | None:
        return confirm_and_wipe(self, request, queryset)

    @admin.display(description="Time", ordering="at")
    def ended_at(self, record: RequestRecord) -> str:
        return local_time(record.at, has_seconds=True)

    @admin.display(description="Caller", ordering="principal")
    def caller_and_kind(self, record: RequestRecord) -> str:
        return format_html('{} <span class="quiet">{}</span>', self.caller(record), record.kind)

    @admin.display(description="Caller")
    def caller(self, record: RequestRecord) -> str:
        return caller_of(record)

    @admin.display(description="Model", ordering="model")
    def short_model(self, record: RequestRecord) -> str:
        shown = short(record.model)
        is_whole = shown == record.model
        return shown if is_whole else format_html('<span title="{}">{}</span>', record.model, shown)

    @admin.display(description="Duration")
    def duration(self, record: RequestRecord) -> str:
        known = ", ".join(f"{one.name} {seconds(one.ms)}" for one in phases(record) if one.ms)
        return format_html('{} <span class="quiet">{}</span>', seconds(total_ms(record)), known)

    @admin.display(description="Tokens")
    def tokens(self, record: RequestRecord) -> str:
        cached = f" ({record.cached_tokens:,} cached)" if record.cached_tokens else ""
        return f"{record.prompt_tokens:,} in{cached}, {record.completion_tokens:,} out"

    @admin.display(description="Ended")
    def ending(self, record: RequestRecord) -> str:
        words = endings.ending(record)
        text = format_html("<strong>{}</strong>", words) if record.error else words
        code = endings.code(record)
        return format_html('<span title="{}">{}</span>', code, text) if code else text

    @admin.display(description="Prompt tokens")
    def prompt_token_count(self, record: RequestRecord) -> str:
        return f"{record.prompt_tokens:,}"

    @admin.display(description="Cached prompt tokens")
    def cached_token_count(self, record: RequestRecord) -> str:
        return f"{record.cached_tokens:,}"

    @admin.display(description="Answer tokens")
    def answer_token_count(self, record: RequestRecord) -> str:
        return f"{record.completion_tokens:,}"

    @admin.display(description="Drafted answer tokens")
    def drafted_token_count(self, record: RequestRecord) -> str:
        if not record.drafted_tokens:
            return "none"
        return f"{record.drafted_tokens:,}, {record.accepted_tokens:,} of them accepted"

    @admin.display(description="Phases")
    def time_of_phases(self, record: RequestRecord) -> str:
        return request_timeline.timeline(record)

    @admin.display(description="Log")
    def log(self, record: RequestRecord) -> str:
        if not record.request_id:
            return "It has no request id, so its log lines are unknown."
        query = urlencode({"request": record.request_id})
        return format_html(
            '<a href="{}?{}">Its lines</a>', reverse("admin:inference_logline_changelist"), query
        )

    @admin.display(description="Meanwhile")
    def decisions(self, record: RequestRecord) -> str:
        return request_timeline.decisions(record)

    @admin.display(description="Prompt")
    def captured_prompt(self, record: RequestRecord) -> str:
        return captured_text.prompt(record.prompt) if record.prompt else _NOT_STORED

    @admin.display(description="Answer")
    def captured_answer(self, record: RequestRecord) -> str:
        return captured_text.answer(record.answer) if record.answer else _NOT_STORED

    @admin.display(description="Prompt and answer")
    def capture_notice(self, record: RequestRecord) -> str:
        return _FORBIDDEN if record.prompt or record.answer else _NOT_STORED
