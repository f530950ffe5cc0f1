"""The admin's pages about API keys; a key itself is shown once, when it was made."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html, format_html_join

from inference.keys.models import ApiKey, KeyDay

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
    list_display = ("name", "prefix", "owner", "scopes", "state", "expires_at", "last_used_at")
    list_filter = ("is_revoked", "owner", *_RIGHTS)
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    actions = ("revoke",)
    autocomplete_fields = ("owner",)

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        about = ("name", "owner", "expires_at") if obj is None else ("name", "prefix", "owner", "expires_at")
        asked = [
            (None, {"fields": about}),
            ("It may", {"fields": _RIGHTS}),
            ("Limits", {"fields": _LIMITS}),
        ]
        if obj is None:
            return asked
        return [*asked, ("Use", {"fields": ("is_revoked", "created_at", "last_used_at", "usage")})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fixed = ("prefix", "created_at", "last_used_at", "usage")
        # Nobody gives away a right that is not theirs.
        rights = () if request.user.has_perm("inference.run_servedmodel") else ("can_manage",)
        if obj is None:
            return (*fixed, *rights)
        revoked = ("is_revoked",) if obj.is_revoked else ()
        return (*fixed, *rights, *revoked, "owner")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk} | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if not change:
            # It lives in this request alone: not in a message, for those are kept in cookies.
            request.made_secret = obj.give_secret()  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "The API key is made",
            "key": obj,
            "secret": request.made_secret,  # type: ignore[attr-defined]
            "opts": self.opts,
        }
        response = TemplateResponse(request, "admin/inference/key_made.html", context)
        add_never_cache_headers(response)
        return response

    @admin.display(description="Scopes")
    def scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        return key.state

    @admin.display(description="Tokens a day")
    def usage(self, key: ApiKey) -> str:
        days = list(KeyDay.objects.lately(key))
        total, asked = sum(day.tokens for day in days), sum(day.requests for day in days)
        if not asked:
            return "It was not used in the last 30 days."
        return format_html(
            "<p>{} tokens in {} requests in the last 30 days, at most {} on one.</p>{}",
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
