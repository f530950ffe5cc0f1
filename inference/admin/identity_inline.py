"""The people of an OpenID provider whose sign-ins are sign-ins to an account, on its page."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from inference.models.federated_identity import FederatedIdentity

if TYPE_CHECKING:
    InlineBase = admin.TabularInline[FederatedIdentity, User]
else:
    InlineBase = admin.TabularInline  # not generic at run time


class IdentityInline(InlineBase):
    """For owners, where a provider is set: who adds one signs in to that account."""

    model = FederatedIdentity
    fields = ("issuer", "subject")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return bool(settings.CONFIG.oidc_issuer) and request.user.is_superuser

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission
