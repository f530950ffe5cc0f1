"""The Django admin of the site: its name, and an import of each module that registers pages."""

from django.contrib import admin

from inference.accounts.sign_in_form import AdminSignInForm
from inference.admin import (
    account_admin,
    capture_admin,
    conversation_admin,
    download_admin,
    event_admin,
    health_admin,
    key_admin,
    log_admin,
    model_admin,
    quantisation_admin,
    request_admin,
    response_admin,
    upstream_admin,
)
from inference.admin.usage import usage_admin

__all__ = [
    "account_admin",
    "capture_admin",
    "conversation_admin",
    "download_admin",
    "event_admin",
    "health_admin",
    "key_admin",
    "log_admin",
    "model_admin",
    "quantisation_admin",
    "request_admin",
    "response_admin",
    "upstream_admin",
    "usage_admin",
]

admin.site.login_form = AdminSignInForm
