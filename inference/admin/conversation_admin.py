"""The admin's page of stored conversations."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from inference.admin.frequent_values import FrequentValues
from inference.admin.times import local_time
from inference.models import StoredConversation

if TYPE_CHECKING:
    StoredConversationAdminBase = admin.ModelAdmin[StoredConversation]
else:
    StoredConversationAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(StoredConversation)
class StoredConversationAdmin(StoredConversationAdminBase):
    """Owner and age of each conversation; its items and metadata belong to the owner and are not shown."""

    list_display = fields = readonly_fields = ("id", "owner", "created", "used")
    list_filter = (("owner", FrequentValues),)
    date_hierarchy = "used_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: StoredConversation | None = None) -> bool:
        return False

    @admin.display(description="Created", ordering="created_at")
    def created(self, stored: StoredConversation) -> str:
        return local_time(stored.created_at)

    @admin.display(description="Last used", ordering="used_at")
    def used(self, stored: StoredConversation) -> str:
        return local_time(stored.used_at)
