"""The Django admin of the site: its name, and an import of each module that registers pages."""

from django.contrib import admin

from inference.admin import (
    capture_admin,
    conversation_admin,
    download_admin,
    event_admin,
    key_admin,
    model_admin,
    request_admin,
    response_admin,
)

__all__ = [
    "capture_admin",
    "conversation_admin",
    "download_admin",
    "event_admin",
    "key_admin",
    "model_admin",
    "request_admin",
    "response_admin",
]

admin.site.site_header = "mlxsite"
admin.site.site_title = "mlxsite"
admin.site.index_title = "Models and people"
