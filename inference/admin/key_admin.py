"""The admin's pages of API keys; the secret of a key is shown once, after it was created."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html, format_html_join

from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.admin.key_form import ApiKeyForm
from inference.admin.row_buttons import RowButton, row_buttons
from inference.admin.times import local_time
from inference.admin.utc_input import OVERRIDES as UTC_INPUT
from inference.models.api_key import ApiKey, KeyDay
from inference.models.usage_limits import LIMITS

if TYPE_CHECKING:
    ApiKeyAdminBase = admin.ModelAdmin[ApiKey]
else:
    ApiKeyAdminBase = admin.ModelAdmin  # not generic at run time

_CHART_HEIGHT = 120
_BAR_WIDTH = 16
_RIGHTS = ("can_chat", "can_embed", "can_manage", "can_read_metrics")
# Nobody can grant a permission that they do not have.
_NEEDED = {"can_manage": ("run_servedmodel",), "can_read_metrics": ("run_servedmodel", "view_servedmodel")}


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyAdminBase):
    form = ApiKeyForm
    list_display = ("name_and_prefix", "owner", "scopes", "status", "last_used", "acts")
    list_filter = ("is_revoked", "owner", *_RIGHTS)
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
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if self.has_change_permission(request) else self.list_display[:-1]

    def act(self, request: HttpRequest) -> HttpResponse:
        """Revoke the key that a row's button names, as `revoke NUMBER`, after a question."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        number = str(request.POST.get("act", "")).removeprefix("revoke ")
        keys = ApiKey.objects.filter(pk=number if number.isdigit() else 0, is_revoked=False)
        if (key := keys.first()) and "confirmed" not in request.POST:
            return self._question(request, key)
        self.revoke(request, keys)
        return redirect("admin:inference_apikey_changelist")

    def _question(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": f"Revoke {key.name}?",
            "opts": self.opts,
            "original": key,
            "crumb": "Revoke",
            "text": "Its requests are rejected from then on, and active ones end. There is no way back.",
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
        return [*fieldsets, ("Usage", {"fields": (end, "created", "last_used", "usage")})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fixed = ("prefix", "status", "created", "last_used", "usage")
        rights = tuple(
            right
            for right, names in _NEEDED.items()
            if not any(request.user.has_perm(f"inference.{name}") for name in names)
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
        context = self.admin_site.each_context(request) | {
            "title": "API key created" if shown else "This key was already shown",
            "key": shown and ApiKey.objects.filter(pk=shown.key).first(),
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
        if key.is_revoked or key.expires_at is None:
            return key.state
        preposition = "until" if key.state == "good" else "since"
        return format_html(
            '{} <span class="quiet">{} {}</span>', key.state, preposition, local_time(key.expires_at)
        )

    @admin.display(description="Created")
    def created(self, key: ApiKey) -> str:
        return local_time(key.created_at)

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

    @admin.display(description="Actions")
    def acts(self, key: ApiKey) -> str:
        if key.is_revoked:
            return ""
        url = reverse("admin:inference_apikey_act")
        return row_buttons(RowButton("Revoke", key.name, url, f"revoke {key.pk}", is_dangerous=True))

    @admin.action(description="Revoke the selected API keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.filter(is_revoked=False):
            key.revoke()
            self.log_change(request, key, "Revoked.")
            self.message_user(
                request,
                f"Revoked {key.name}: it is rejected from now on, and its active requests are cancelled.",
                messages.SUCCESS,
            )


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
