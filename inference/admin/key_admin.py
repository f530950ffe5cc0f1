"""The admin's pages about API keys; a key itself is shown once, when it was made."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html, format_html_join

from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.models.api_key import ApiKey, KeyDay

if TYPE_CHECKING:
    ApiKeyAdminBase = admin.ModelAdmin[ApiKey]
else:
    ApiKeyAdminBase = admin.ModelAdmin  # not generic at run time

_HEIGHT = 120
_BAR = 16
_RIGHTS = ("can_chat", "can_embed", "can_manage")
_LIMITS = ("requests_per_minute", "tokens_per_day", "concurrent_streams")


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyAdminBase):
    list_display = ("called", "owner", "scopes", "standing", "used")
    list_filter = ("is_revoked", "owner", *_RIGHTS)
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    search_help_text = "Searches the name, what the key begins with, and the owner."
    actions = ("revoke",)
    autocomplete_fields = ("owner",)

    def get_urls(self) -> list[URLPattern]:
        shown = self.admin_site.admin_view(self.made)
        return [path("made/<str:token>/", shown, name="inference_apikey_made"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        about = ("name", "owner", "expires_at") if obj is None else ("name", "prefix", "owner", "expires_at")
        asked = [
            (None, {"fields": about}),
            ("It may", {"fields": _RIGHTS}),
            ("Limits", {"fields": _LIMITS}),
        ]
        if obj is None:
            return asked
        # A revocation cannot be undone: what was a box to tick is told in a word.
        end = "standing" if obj.is_revoked or not self.has_change_permission(request, obj) else "is_revoked"
        return [*asked, ("Use", {"fields": (end, "created", "used", "usage")})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fixed = ("prefix", "standing", "created", "used", "usage")
        # Nobody gives away a right that is not theirs.
        rights = () if request.user.has_perm("inference.run_servedmodel") else ("can_manage",)
        return (*fixed, *rights) if obj is None else (*fixed, *rights, "owner")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk} | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        made = None if change else obj.give_secret()
        super().save_model(request, obj, form, change)
        if made:
            session = request.session.session_key or ""
            request.made_token = ONE_TIME_SECRETS.keep(obj.pk, made, session)  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        # To a page of its own: one that answers the form would make a second key when it is loaded again.
        return redirect("admin:inference_apikey_made", request.made_token)  # type: ignore[attr-defined]

    def made(self, request: HttpRequest, token: str) -> HttpResponse:
        """The new key, once: its secret is in no message, cookie or table."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        made = ONE_TIME_SECRETS.take(token, request.session.session_key or "")
        context = self.admin_site.each_context(request) | {
            "title": "The API key is made" if made else "This key was shown already",
            "key": made and ApiKey.objects.filter(pk=made.key).first(),
            "secret": made and made.secret,
            "opts": self.opts,
        }
        response = TemplateResponse(request, "admin/inference/key_made.html", context)
        add_never_cache_headers(response)
        return response

    @admin.display(description="Name", ordering="name")
    def called(self, key: ApiKey) -> str:
        return format_html('{} <span class="quiet">{}…</span>', key.name, key.prefix)

    @admin.display(description="Scopes")
    def scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="State", ordering="expires_at")
    def standing(self, key: ApiKey) -> str:
        if key.is_revoked or key.expires_at is None:
            return key.state
        word = "until" if key.state == "good" else "since"
        return format_html('{} <span class="quiet">{} {}</span>', key.state, word, _utc(key.expires_at))

    @admin.display(description="Created")
    def created(self, key: ApiKey) -> str:
        return _utc(key.created_at)

    @admin.display(description="Last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        return _utc(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="Tokens a day")
    def usage(self, key: ApiKey) -> str:
        days = list(KeyDay.objects.last_days(key))
        total, asked = sum(day.tokens for day in days), sum(day.requests for day in days)
        if not asked:
            return "It was not used in the last 30 days."
        return format_html(
            "<p>{} tokens in {} requests in the last 30 days, at most {} on one. "
            "Requests that were refused are counted too.</p>{}",
            f"{total:,}",
            f"{asked:,}",
            f"{max(day.tokens for day in days):,}",
            chart(days),
        )

    @admin.action(description="Revoke the selected API keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.filter(is_revoked=False):
            key.revoke()
            self.log_change(request, key, "Revoked.")
            self.message_user(
                request,
                f"Revoked {key.name}: it opens nothing from now on, and its answers under way are ended.",
                messages.SUCCESS,
            )


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def chart(days: list[KeyDay]) -> str:
    """A bar for each day, as SVG attributes only: the site's policy allows no styles in a page."""
    most = max(day.tokens for day in days) or 1
    heights = [round(day.tokens / most * _HEIGHT) for day in days]
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="currentColor"><title>{}: {} tokens</title></rect>',
        (
            (place * _BAR, _HEIGHT - height, _BAR - 3, height, f"{day.day:%d %b}", f"{day.tokens:,}")
            for place, (day, height) in enumerate(zip(days, heights, strict=True))
        ),
    )
    return format_html(
        '<svg width="{}" height="{}" role="img" aria-label="Tokens on each of the last {} days, '
        'at most {}">{}<path d="M0 {}H{}" stroke="currentColor"/></svg>',
        len(days) * _BAR,
        _HEIGHT + 1,
        len(days),
        f"{most:,}",
        bars,
        _HEIGHT,
        len(days) * _BAR,
    )
