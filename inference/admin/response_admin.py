"""The admin's page of stored responses."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from inference.admin.frequent_values import FrequentValues
from inference.admin.times import local_time
from inference.models import StoredResponse

if TYPE_CHECKING:
    StoredResponseAdminBase = admin.ModelAdmin[StoredResponse]
else:
    StoredResponseAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(StoredResponse)
class StoredResponseAdmin(StoredResponseAdminBase):
    """Owner and age of each stored response; its text belongs to the owner and is not shown."""

    list_display = fields = readonly_fields = ("id", "owner", "previous", "created")
    list_filter = (("owner", FrequentValues),)
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: StoredResponse | None = None) -> bool:
        return False

    @admin.display(description="Created", ordering="created_at")
    def created(self, stored: StoredResponse) -> str:
        return local_time(stored.created_at)
