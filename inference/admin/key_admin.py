"""The admin's pages of API keys; the secret of a key is shown once, after it was created."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html, format_html_join

from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.accounts.permissions import may_give
from inference.admin.frequent_values import FrequentRows
from inference.admin.key_form import ApiKeyForm
from inference.admin.key_renewal_page import can_renew, renewal_page
from inference.admin.row_buttons import RowButton, row_buttons
from inference.admin.times import local_time
from inference.admin.utc_input import OVERRIDES as UTC_INPUT
from inference.core.principal import Scope
from inference.core.text_direction import isolated
from inference.core.whole_number import whole_number
from inference.models.api_key import ApiKey, KeyDay
from inference.models.usage_limits import LIMITS

if TYPE_CHECKING:
    ApiKeyAdminBase = admin.ModelAdmin[ApiKey]
else:
    ApiKeyAdminBase = admin.ModelAdmin  # not generic at run time

_CHART_HEIGHT = 120
_BAR_WIDTH = 16
_RIGHTS = ("can_chat", "can_embed", "can_manage", "can_read_metrics")
_RIGHTS_OF_OPERATORS: dict[str, Scope] = {"can_manage": "manage", "can_read_metrics": "metrics"}


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyAdminBase):
    form = ApiKeyForm
    list_display = ("name_and_prefix", "owner", "scopes", "status", "last_used")
    list_filter = ("is_revoked", ("owner", FrequentRows), *_RIGHTS)
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    search_help_text = "Searches the name, what the key begins with, and the owner."
    actions = ("revoke",)
    autocomplete_fields = ("owner",)
    formfield_overrides = UTC_INPUT

    def get_urls(self) -> list[URLPattern]:
        new_key = self.admin_site.admin_view(self.show_new_key)
        act = self.admin_site.admin_view(self.act)
        return [
            path("made/<str:token>/", new_key, name="inference_apikey_made"),
            path("act/", act, name="inference_apikey_act"),
            path("<int:pk>/renew/", self.admin_site.admin_view(self.renew), name="inference_apikey_renew"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> Any:
        if not self.has_change_permission(request):
            return self.list_display

        @admin.display(description="Actions")
        def acts(key: ApiKey) -> str:
            return self._acts(request, key)

        return [*self.list_display, acts]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        more = {"can_renew": key is not None and can_renew(self, request, key)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give a key a new secret and a new end."""
        return renewal_page(self, request, get_object_or_404(ApiKey, pk=pk))

    def act(self, request: HttpRequest) -> HttpResponse:
        """Revoke the key that a row's button names, as `revoke NUMBER`, after a question."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        number = whole_number(str(request.POST.get("act", "")).removeprefix("revoke "))
        keys = ApiKey.objects.filter(pk=number or 0, is_revoked=False)
        if (key := keys.first()) and "confirmed" not in request.POST:
            return self._question(request, key)
        self.revoke(request, keys)
        return redirect("admin:inference_apikey_changelist")

    def _question(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": f"Revoke {isolated(key.name)}?",
            "opts": self.opts,
            "original": key,
            "crumb": "Revoke",
            "text": "Its requests are rejected from then on, and active ones end. This cannot be undone.",
            "act": f"revoke {key.pk}",
            "button": "Revoke",
            "action_url": reverse("admin:inference_apikey_act"),
            "origin_url": reverse("admin:inference_apikey_changelist"),
        }
        return TemplateResponse(request, "admin/inference/question.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        about = ("name", "owner", "expires_at") if obj is None else ("name", "prefix", "owner", "expires_at")
        fieldsets = [
            (None, {"fields": about}),
            ("Permissions", {"fields": _RIGHTS}),
            ("Limits", {"fields": (*LIMITS, "allowed_models")}),
        ]
        if obj is None:
            return fieldsets
        # A revocation cannot be undone, so a revoked key shows its status and no checkbox.
        end = "status" if obj.is_revoked or not self.has_change_permission(request, obj) else "is_revoked"
        return [*fieldsets, ("Usage", {"fields": (end, "created", "renewed", "last_used", "usage")})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fixed = ("prefix", "status", "created", "renewed", "last_used", "usage")
        rights = tuple(
            right for right, scope in _RIGHTS_OF_OPERATORS.items() if not may_give(request.user, scope)
        )
        return (*fixed, *rights) if obj is None else (*fixed, *rights, "owner")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk} | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        secret = None if change else obj.give_secret()
        super().save_model(request, obj, form, change)
        if secret:
            session = request.session.session_key or ""
            request.new_key_token = ONE_TIME_SECRETS.keep(obj.pk, secret, session)  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        # A redirect, because reloading the response to the form would create a second key.
        return redirect("admin:inference_apikey_made", request.new_key_token)  # type: ignore[attr-defined]

    def show_new_key(self, request: HttpRequest, token: str) -> HttpResponse:
        """The secret of a new key, once: it is in no message, cookie or table."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        shown = ONE_TIME_SECRETS.take(token, request.session.session_key or "")
        key = ApiKey.objects.filter(pk=shown.key).first() if shown else None
        context = self.admin_site.each_context(request) | {
            "title": _title(key) if shown else "This key was already shown",
            "key": key,
            "secret": shown and shown.secret,
            "opts": self.opts,
            "crumb": "New key",
        }
        response = TemplateResponse(request, "admin/inference/key_made.html", context)
        add_never_cache_headers(response)
        return response

    @admin.display(description="Name", ordering="name")
    def name_and_prefix(self, key: ApiKey) -> str:
        return format_html('{} <span class="quiet">{}…</span>', key.name, key.prefix)

    @admin.display(description="Scopes")
    def scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="Status", ordering="expires_at")
    def status(self, key: ApiKey) -> str:
        if key.is_revoked:
            return key.state
        preposition = "until" if key.state == "good" else "since"
        ends = (
            (preposition, key.expires_at),
            ("old secret until", key.old_secret_end if key.state == "good" else None),
        )
        dates = format_html_join(", ", "{} {}", ((text, local_time(end)) for text, end in ends if end))
        return format_html('{} <span class="quiet">{}</span>', key.state, dates) if dates else key.state

    @admin.display(description="Created")
    def created(self, key: ApiKey) -> str:
        return local_time(key.created_at)

    @admin.display(description="Renewed")
    def renewed(self, key: ApiKey) -> str:
        old = key.old_secret_end
        if old is None:
            return local_time(key.renewed_at)
        return format_html("{}; the old secret works until {}", local_time(key.renewed_at), local_time(old))

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return local_time(key.last_used_at)

    @admin.display(description="Tokens per day")
    def usage(self, key: ApiKey) -> str:
        days = list(KeyDay.objects.last_days(key))
        total, requests = sum(day.tokens for day in days), sum(day.requests for day in days)
        if not requests:
            return "Not used in the last 30 days."
        return format_html(
            "<p>{} tokens in {} requests in the last 30 days, at most {} on one day. "
            "Rejected requests are included.</p>{}",
            f"{total:,}",
            f"{requests:,}",
            f"{max(day.tokens for day in days):,}",
            chart(days),
        )

    def _acts(self, request: HttpRequest, key: ApiKey) -> str:
        if key.is_revoked:
            return ""
        renew, act = (
            reverse("admin:inference_apikey_renew", args=[key.pk]),
            reverse("admin:inference_apikey_act"),
        )
        return row_buttons(
            RowButton("Renew", key.name, renew, is_shown=can_renew(self, request, key)),
            RowButton("Revoke", key.name, act, f"revoke {key.pk}", is_dangerous=True),
        )

    @admin.action(description="Revoke the selected API keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.filter(is_revoked=False):
            key.revoke()
            self.log_change(request, key, "Revoked.")
            what = "it is rejected from now on, and its active requests are cancelled"
            self.message_user(request, f"Revoked {isolated(key.name)}: {what}.", messages.SUCCESS)


def _title(key: ApiKey | None) -> str:
    return "API key renewed" if key and key.renewed_at else "API key created"


def chart(days: list[KeyDay]) -> str:
    """A bar for each day, as SVG attributes only: the Content Security Policy allows no inline styles."""
    most = max(day.tokens for day in days) or 1
    heights = [round(day.tokens / most * _CHART_HEIGHT) for day in days]
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="currentColor"><title>{}: {} tokens</title></rect>',
        (
            (
                position * _BAR_WIDTH,
                _CHART_HEIGHT - height,
                _BAR_WIDTH - 3,
                height,
                f"{day.day:%d %b}",
                f"{day.tokens:,}",
            )
            for position, (day, height) in enumerate(zip(days, heights, strict=True))
        ),
    )
    return format_html(
        '<svg width="{}" height="{}" role="img" aria-label="Tokens on each of the last {} days, '
        'at most {}">{}<path d="M0 {}H{}" stroke="currentColor"/></svg>',
        len(days) * _BAR_WIDTH,
        _CHART_HEIGHT + 1,
        len(days),
        f"{most:,}",
        bars,
        _CHART_HEIGHT,
        len(days) * _BAR_WIDTH,
    )
