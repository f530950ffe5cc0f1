"""The admin's pages about requests: what became of each, and whether their words are kept."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from inference.admin import captured_text
from inference.admin.capture_deletion import may_wipe, wipe
from inference.models.request_record import Capture, RequestRecord

if TYPE_CHECKING:
    RequestRecordAdminBase = admin.ModelAdmin[RequestRecord]
    CaptureAdminBase = admin.ModelAdmin[Capture]
else:
    RequestRecordAdminBase = CaptureAdminBase = admin.ModelAdmin  # not generic at run time

_MOST_MODELS = 30
_WORDS = ("prompt", "answer")
_PHASES = ("queued", "loading", "prefill", "decode")
_NAMELESS = {"local": "this machine", "key": "the operator's key"}  # callers without a name of their own
_NOT_KEPT = "None were kept: no capture was going on, or they were deleted."
_NOT_YOURS = "They were kept. Reading them takes the permission “Can read captured prompts and answers”."
_WIPE = "Delete the words that were kept"


class ModelFilter(admin.SimpleListFilter):
    """The models asked for most: clients may name anything, and a list of all that would have no end."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = RequestRecord.objects.order_by().values_list("model").annotate(times=Count("pk"))
        return [(name, name) for name, _ in asked.order_by("-times")[:_MOST_MODELS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestRecord]) -> QuerySet[RequestRecord]:
        return queryset.filter(model=self.value()) if self.value() else queryset


class ValuesFilter(admin.AllValuesFieldListFilter):
    """The values there are, of which Django would leave the empty one without a word."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "none"}


@admin.register(RequestRecord)
class RequestRecordAdmin(RequestRecordAdminBase):
    list_display = ("time", "asked", "model", "ending", "tokens", "took")
    list_filter = (
        ("at", admin.DateFieldListFilter),
        ("key", admin.RelatedOnlyFieldListFilter),
        *("principal_kind", "kind", ("finish", ValuesFilter), ("error", ValuesFilter), "has_left"),
        ModelFilter,
    )
    list_select_related = ("key",)
    search_fields = ("principal", "key__name", "model", "finish", "error")
    search_help_text = (
        "Searches the caller, the model, and how it ended. Words that were kept are not searched."
    )
    list_per_page = 50
    actions = ("wipe",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequestRecord]:
        # What was captured is large: the list shows none of it, and a page of one row asks for its own.
        return super().get_queryset(request).defer(*_WORDS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RequestRecord], search_term: str
    ) -> tuple[QuerySet[RequestRecord], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        for kind, shown in _NAMELESS.items():
            if search_term in {kind, shown} or (len(search_term) > 3 and search_term.lower() in shown):
                found |= queryset.filter(principal_kind=kind, principal="")
        return found, may_repeat

    def get_fieldsets(self, request: HttpRequest, obj: RequestRecord | None = None) -> Any:
        may_read = request.user.has_perm("inference.read_captured")
        words = ("asked_words", "answered_words") if may_read else ("words_hint",)
        return [
            (None, {"fields": ("time", "caller", "model", "kind", "ending")}),
            ("Tokens", {"fields": ("of_prompt", "of_cache", "of_answer")}),
            ("Time", {"fields": ("queued", "loading", "prefill", "decode")}),
            ("Words", {"fields": words}),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: RequestRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RequestRecord | None = None) -> bool:
        return False

    def has_wipe_permission(self, request: HttpRequest) -> bool:
        return may_wipe(request)

    @admin.action(description=_WIPE, permissions=["wipe"])
    def wipe(self, request: HttpRequest, queryset: QuerySet[RequestRecord]) -> HttpResponse | None:
        return wipe(self, request, queryset)

    @admin.display(description="Time (UTC)", ordering="at")
    def time(self, record: RequestRecord) -> str:
        return f"{record.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Caller", ordering="principal")
    def asked(self, record: RequestRecord) -> str:
        return format_html('{} <span class="quiet">{}</span>', self.caller(record), record.kind)

    @admin.display(description="Caller")
    def caller(self, record: RequestRecord) -> str:
        if record.key:
            return record.key.name
        return record.principal or _NAMELESS[record.principal_kind]

    @admin.display(description="Milliseconds")
    def took(self, record: RequestRecord) -> str:
        spent = {phase: getattr(record, f"{phase}_ms") for phase in _PHASES}
        phases = ", ".join(f"{phase} {ms:,}" for phase, ms in spent.items() if ms)
        return format_html('{} <span class="quiet">{}</span>', f"{sum(spent.values()):,}", phases)

    @admin.display(description="Tokens")
    def tokens(self, record: RequestRecord) -> str:
        cached = f" ({record.cached_tokens:,} cached)" if record.cached_tokens else ""
        return f"{record.prompt_tokens:,}{cached} + {record.completion_tokens:,}"

    @admin.display(description="Ended")
    def ending(self, record: RequestRecord) -> str:
        if record.error:
            parts = ((part,) for part in record.error.split("_"))
            return format_html("<strong>{}</strong>", format_html_join(mark_safe("_<wbr>"), "{}", parts))
        return "client left" if record.has_left else record.finish or "done"

    @admin.display(description="Prompt tokens")
    def of_prompt(self, record: RequestRecord) -> str:
        return f"{record.prompt_tokens:,}"

    @admin.display(description="Of these cached")
    def of_cache(self, record: RequestRecord) -> str:
        return f"{record.cached_tokens:,}"

    @admin.display(description="Answer tokens")
    def of_answer(self, record: RequestRecord) -> str:
        return f"{record.completion_tokens:,}"

    @admin.display(description="Queued")
    def queued(self, record: RequestRecord) -> str:
        return _ms(record.queued_ms)

    @admin.display(description="Loading")
    def loading(self, record: RequestRecord) -> str:
        return _ms(record.loading_ms)

    @admin.display(description="Prefill")
    def prefill(self, record: RequestRecord) -> str:
        return _ms(record.prefill_ms)

    @admin.display(description="Decode")
    def decode(self, record: RequestRecord) -> str:
        return _ms(record.decode_ms)

    @admin.display(description="Prompt")
    def asked_words(self, record: RequestRecord) -> str:
        return captured_text.prompt(record.prompt) if record.prompt else _NOT_KEPT

    @admin.display(description="Answer")
    def answered_words(self, record: RequestRecord) -> str:
        return captured_text.answer(record.answer) if record.answer else _NOT_KEPT

    @admin.display(description="Prompt and answer")
    def words_hint(self, record: RequestRecord) -> str:
        return _NOT_YOURS if record.prompt or record.answer else _NOT_KEPT


@admin.register(Capture)
class CaptureAdmin(CaptureAdminBase):
    list_display = ("reason", "state", "began", "end", "began_by")
    list_select_related = ("began_by",)
    fields = ("until", "reason")
    actions = ("stop", "wipe")

    def has_change_permission(self, request: HttpRequest, obj: Capture | None = None) -> bool:
        return False  # it is stopped, or another one is begun: what was once told stays true

    def has_delete_permission(self, request: HttpRequest, obj: Capture | None = None) -> bool:
        return False  # what it kept would stay: that is deleted by an action of its own

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.change_capture")

    def has_wipe_permission(self, request: HttpRequest) -> bool:
        return may_wipe(request)

    def save_model(self, request: HttpRequest, obj: Capture, form: Any, change: bool) -> None:
        if request.user.is_authenticated:
            obj.began_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description="State")
    def state(self, capture: Capture) -> str:
        return "going on" if capture.is_on else "over"

    @admin.display(description="Began (UTC)", ordering="began_at")
    def began(self, capture: Capture) -> str:
        return f"{capture.began_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Ends (UTC)", ordering="until")
    def end(self, capture: Capture) -> str:
        return f"{capture.until:%Y-%m-%d %H:%M:%S}"

    @admin.action(description="Stop the selected captures now", permissions=["stop"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Capture]) -> None:
        for capture in queryset:
            if capture.is_on:
                capture.stop()
                self.log_change(request, capture, "Stopped.")
                self.message_user(request, f"Stopped: {capture.reason}.", messages.SUCCESS)

    @admin.action(description=_WIPE, permissions=["wipe"])
    def wipe(self, request: HttpRequest, queryset: QuerySet[Capture]) -> HttpResponse | None:
        return wipe(self, request, Capture.objects.records(queryset))


def _ms(duration: int) -> str:
    return f"{duration:,} ms"
