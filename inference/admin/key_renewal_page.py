"""The admin's page that renews an API key; the new secret is shown on the page of new keys."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from inference.accounts.key_renewal import KeyRenewalForm, may_renew
from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.models.api_key import ApiKey


def renewal_page(model_admin: Any, request: HttpRequest, key: ApiKey) -> HttpResponse:
    """The form, or once it is sent a redirect to the new secret; may raise PermissionDenied."""
    if not can_renew(model_admin, request, key):
        raise PermissionDenied
    form = KeyRenewalForm(request.POST or None, key=key)
    if request.method == "POST" and form.is_valid():
        _, secret = form.renew(request.user)
        token = ONE_TIME_SECRETS.keep(key.pk, secret, request.session.session_key or "")
        return redirect("admin:inference_apikey_made", token)
    context = model_admin.admin_site.each_context(request) | {
        "title": f"Renew {key.name}?",
        "opts": model_admin.opts,
        "original": key,
        "crumb": "Renew",
        "form": form,
        "old_secret_end": key.old_secret_end,
    }
    return TemplateResponse(request, "admin/inference/key_renew.html", context)


def can_renew(model_admin: Any, request: HttpRequest, key: ApiKey) -> bool:
    """Whether the visitor may change keys, may have new secrets, and has every right that this key gives."""
    may = model_admin.has_change_permission(request, key) and model_admin.has_add_permission(request)
    return bool(may) and may_renew(request.user, key)
