"""Django's pages of users and groups, with limits and password links, and that of failed sign-ins."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

from inference.accounts import account_list, audit_log, password_link, roles, sign_in_throttle
from inference.admin.account_forms import AccountForm, NewAccountForm
from inference.admin.identity_inline import IdentityInline
from inference.admin.rights_field import rights_field
from inference.admin.times import local_time
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
_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class AccountLimitsInline(AccountInline):
    """The limits of the account's browsers and keys together; where one is empty, its groups decide."""

    model = AccountLimits
    fields = (*_LIMITS, "usage")
    readonly_fields = ("usage",)
    can_delete = False
    verbose_name = verbose_name_plural = "limits (empty fields use the limits of the groups)"

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


class OwnerFilter(admin.BooleanFieldListFilter):
    """Django's superusers are called owners here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = "owner"


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """An account: a role in the place of Django's flags and permissions, which are folded below it."""

    form = AccountForm
    filter_horizontal = ()
    add_form = NewAccountForm
    inlines = (AccountLimitsInline, IdentityInline)
    change_form_template = "admin/inference/account_change.html"
    list_display = ("username", "role", "last_sign_in", "active")
    list_filter = ("is_active", ("is_superuser", OwnerFilter), "groups")
    readonly_fields = ("last_sign_in", "joined", "role_text")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active", "last_sign_in", "joined")}),
        ("Individual permissions", {"classes": ("collapse",), "fields": _RIGHTS}),
        ("Name and address", {"classes": ("collapse",), "fields": ("first_name", "last_name", "email")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.make_password_link)
        return [path("<int:pk>/password-link/", view, name="inference_password_link"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rights = ("groups__permissions", "user_permissions")  # of which the role of each row is made
        return super().get_queryset(request).prefetch_related(*rights)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return db_field.formfield(**rights_field(db_field.name, **kwargs))

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only owners choose a role: other users who may change accounts could raise their own."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        shown = {"role": "role_text"} if obj else {"role": ""}
        return [(name, facts | {"fields": _replaced(facts["fields"], shown)}) for name, facts in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = super().get_readonly_fields(request, obj)
        return tuple(fixed) if request.user.is_superuser else (*fixed, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only owners change an owner's account: a user who sets its password has all of its permissions."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        if is_above or (obj is not None and roles.is_last_owner(obj)):
            return False
        return super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user = User.objects.get(pk=form.instance.pk)
        if form.chosen_role and request.user.is_superuser:
            roles.give(user, form.chosen_role)
        account_list.record_role(user, form.role_before, cast(User, request.user))

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return roles.LABELS[roles.role_of(user)]

    @admin.display(description="Role")
    def role_text(self, user: User) -> str:
        return f"{self.role(user)} (an owner can change it)"

    @admin.display(description="Active", boolean=True, ordering="is_active")
    def active(self, user: User) -> bool:
        return user.is_active

    @admin.display(description="Last sign-in", ordering="last_login")
    def last_sign_in(self, user: User) -> str:
        return local_time(user.last_login)

    @admin.display(description="Added", ordering="date_joined")
    def joined(self, user: User) -> str:
        return local_time(user.date_joined)

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
        audit_log.write(request.user, User, user.get_username(), "Created a password link.", user)
        context = self.admin_site.each_context(request) | {
            "title": "Password link",
            "opts": self.opts,
            "original": user,
            "crumb": "Password link",
            "account": user,
            "link": request.build_absolute_uri(password_link.path_of(user)),
        }
        response = TemplateResponse(request, "admin/inference/password_link.html", context)
        add_never_cache_headers(response)
        return response

    def _may_make_link(self, request: HttpRequest, user: User) -> bool:
        """Whether the signed-in user may take over the account: one of a superuser is for superusers only."""
        return user.is_active and self.has_change_permission(request, user)


def _replaced(fields: Any, shown: dict[str, str]) -> tuple[str, ...]:
    return tuple(filter(None, (shown.get(name, name) for name in fields)))


@admin.register(Group)
class AccountGroupAdmin(GroupAdmin):
    filter_horizontal = ()
    inlines = (GroupLimitsInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """Only owners change permissions: others could give their own group more."""
        return () if request.user.is_superuser else ("permissions",)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return db_field.formfield(**rights_field(db_field.name, **kwargs))


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(AttemptsAdminBase):
    """Failed sign-ins; to delete one lifts its wait."""

    list_display = ("account_name", "place", "failures", "failed", "succeeded")

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

    @admin.display(description="Last failed", ordering="failed_at")
    def failed(self, row: SignInAttempts) -> str:
        return local_time(row.failed_at)

    @admin.display(description="Last succeeded", ordering="succeeded_at")
    def succeeded(self, row: SignInAttempts) -> str:
        return local_time(row.succeeded_at)

    @admin.display(description="Address", ordering="address")
    def place(self, row: SignInAttempts) -> str:
        return row.place

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SignInAttempts | None = None) -> bool:
        return False
