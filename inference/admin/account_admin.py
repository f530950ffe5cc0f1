"""Django's pages of users and groups, with limits and password links, and that of failed sign-ins."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

from inference.accounts import password_link, sign_in_throttle
from inference.admin import audit_log
from inference.models.sign_in import SignInAttempts
from inference.models.usage_limits import LIMITS, AccountDay, AccountLimits, GroupLimits, today
from inference.serving.active_requests import STREAMS

if TYPE_CHECKING:
    AccountInline = admin.StackedInline[AccountLimits, User]
    GroupInline = admin.StackedInline[GroupLimits, Group]
    AttemptsAdminBase = admin.ModelAdmin[SignInAttempts]
else:
    AccountInline = GroupInline = admin.StackedInline  # not generic at run time
    AttemptsAdminBase = admin.ModelAdmin

_LIMITS = (*LIMITS, "storage_mb")


class AccountLimitsInline(AccountInline):
    """The limits of the account's browsers and keys together; where one is empty, its groups decide."""

    model = AccountLimits
    fields = (*_LIMITS, "usage")
    readonly_fields = ("usage",)
    can_delete = False
    verbose_name = verbose_name_plural = "limits (an empty one is that of the groups)"

    @admin.display(description="Used today")
    def usage(self, limits: AccountLimits) -> str:
        if not limits.user_id:
            return "–"
        day = AccountDay.objects.filter(user=limits.user, day=today().date()).first() or AccountDay()
        streams = sum(one.account == limits.user.get_username() for one in STREAMS.snapshot())
        return f"{day.tokens:,} tokens in {day.requests:,} requests; {streams} in progress"


class GroupLimitsInline(GroupInline):
    """The limits of each member that has none of its own; of several groups the highest counts."""

    model = GroupLimits
    fields = _LIMITS
    can_delete = False


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    inlines = (AccountLimitsInline,)
    change_form_template = "admin/inference/account_change.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.make_password_link)
        return [path("<int:pk>/password-link/", view, name="inference_password_link"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        more = {"may_make_password_link": user is not None and self._may_make_link(request, user)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    def make_password_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a one-time link with which the owner of an account sets its password."""
        user = get_object_or_404(User, pk=pk)
        if not self._may_make_link(request, user):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:auth_user_change", pk)
        audit_log.write(request, User, user.get_username(), "Made a password link.", user)
        context = self.admin_site.each_context(request) | {
            "title": "Password link",
            "account": user,
            "link": request.build_absolute_uri(password_link.path_of(user)),
        }
        response = TemplateResponse(request, "admin/inference/password_link.html", context)
        add_never_cache_headers(response)
        return response

    def _may_make_link(self, request: HttpRequest, user: User) -> bool:
        """Whether the signed-in user may take over the account: one of a superuser is for superusers only."""
        is_above = user.is_superuser and not request.user.is_superuser
        return user.is_active and not is_above and self.has_change_permission(request, user)


@admin.register(Group)
class AccountGroupAdmin(GroupAdmin):
    inlines = (GroupLimitsInline,)


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(AttemptsAdminBase):
    """Failed sign-ins; to delete one lifts its wait."""

    list_display = ("account_name", "place", "failures", "failed_at", "succeeded_at")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page of the list; the names of its accounts are looked up once for all rows."""
        page = super().get_changelist_instance(request)
        names = sign_in_throttle.names()
        for row in page.result_list:
            row.name = names.get(row.account, "")
        return page

    @admin.display(description="Account")
    def account_name(self, row: Any) -> str:
        return row.name or "no such account"

    @admin.display(description="Address", ordering="address")
    def place(self, row: SignInAttempts) -> str:
        return row.place

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SignInAttempts | None = None) -> bool:
        return False
