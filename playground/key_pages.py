"""The pages of an account's own API keys: its list, a form for a new one, and the secret, shown once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inference.accounts import own_keys
from inference.accounts.key_renewal import KeyRenewalForm
from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.accounts.own_keys import OwnKeyForm
from inference.core.errors import NotFound


@login_required
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The account's keys, and a form for a new one where the account may make keys."""
    _check(own_keys.may_see(request.user))
    may_make = own_keys.may_make(request.user)
    form = OwnKeyForm(request.POST or None, owner=request.user) if may_make else None
    if request.method == "POST":
        _check(may_make)
        if form and form.is_valid():
            return _shown_once(request, *form.make())
    keys = [(key, own_keys.may_renew(request.user, key)) for key in own_keys.keys_of(request.user)]
    context = {"form": form, "keys": keys}
    return render(request, "registration/keys.html", context, status=400 if form and form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """A form that gives one of the account's keys a new secret and a new end."""
    try:
        key = own_keys.own_key(request.user, pk)
    except NotFound as error:
        raise Http404(error.message) from None
    _check(own_keys.may_renew(request.user, key))
    form = KeyRenewalForm(request.POST or None, key=key)
    if request.method == "POST" and form.is_valid():
        return _shown_once(request, *form.renew(request.user))
    status = 400 if form.errors else 200
    return render(request, "registration/key_renew.html", {"form": form, "key": key}, status=status)


@login_required
@never_cache
@require_GET
def made(request: HttpRequest, token: str) -> HttpResponse:
    """The secret of a new key, once: it is in no message, cookie or table."""
    shown = ONE_TIME_SECRETS.take(token, request.session.session_key or "")
    key = shown and own_keys.keys_of(request.user).filter(pk=shown.key).first()
    return render(request, "registration/key_made.html", {"key": key, "secret": shown and shown.secret})


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the account's keys."""
    try:
        key = own_keys.revoke(request.user, pk)
    except NotFound as error:
        raise Http404(error.message) from None
    messages.success(request, f"{key.name} is revoked: it is rejected from now on.")
    return redirect("own-keys")


def _shown_once(request: HttpRequest, key: Any, secret: str) -> HttpResponse:
    """A redirect to the secret, because reloading the response to a form would make a second one."""
    token = ONE_TIME_SECRETS.keep(key.pk, secret, request.session.session_key or "")
    return redirect("own-key-made", token)


def _check(is_allowed: bool) -> None:
    if not is_allowed:
        raise PermissionDenied
