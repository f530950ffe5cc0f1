"""The admin's page *Connect*: what a client needs to use this server, filled in.

Its form is a POST, so that a key is in no address and stays when something else is chosen; what was chosen
without a key gets an address of its own.
"""

import re
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.text import Truncator

from inference.accounts import audit_log
from inference.accounts.one_time_secrets import ONE_TIME_SECRETS
from inference.accounts.permissions import may_act, may_look
from inference.connect.agent_names import AS_TEXT
from inference.connect.client import NO_KEY, ConnectableClient, UnusableValue, Values
from inference.connect.clients import CLIENTS, find
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard, requestable
from inference.models.api_key import ApiKey
from inference.serving import runtime

_ADDRESS = re.compile(r"(https?://[^/?#\s<>\"']{1,300}?)(?:/v1)?/?")
_LONGEST_KEY = 500
_LONGEST_SHOWN = 100  # characters of what was typed, in a message
_NO_KEY_YET = "YOUR_KEY"


def connect_page(request: HttpRequest) -> HttpResponse:
    """Show what a client needs; a POST makes a key, or fills in the one that was typed.

    Raises PermissionDenied for users who may not look at models, or not make keys.
    """
    if not may_look(request.user):
        raise PermissionDenied
    choice = _Choice(request)
    for problem in choice.problems:
        messages.warning(request, problem)
    if request.POST.get("act") == "make":
        return _with_new_key(request, choice)
    key, is_lost = _key(request)
    if request.method == "POST" and not key:
        return redirect(f"{reverse('connect')}?{choice.query}")
    context = admin.site.each_context(request) | {
        "title": "Connect",
        "program": PROGRAM,
        "choice": choice,
        "clients": CLIENTS,
        "key": key,
        "is_key_lost": is_lost,
        "needs_key": not settings.CONFIG.is_open,
        "may_make_key": request.user.has_perm("inference.add_apikey"),
        "may_act": may_act(request.user),
        "agent_names": AS_TEXT,
        "longest_key": _LONGEST_KEY,
        "blocks": _blocks(request, choice, key or (NO_KEY if settings.CONFIG.is_open else _NO_KEY_YET)),
    }
    response = TemplateResponse(request, "admin/inference/connect.html", context)
    add_never_cache_headers(response)
    return response


class _Choice:
    """The model, the client and the address that the visitor chose, or else the first of each.

    `problems` says what was chosen and cannot be had, and what is shown in its place.
    """

    def __init__(self, request: HttpRequest) -> None:
        given = request.POST if request.method == "POST" else request.GET
        self.problems: list[str] = []
        self.cards = [card for card in requestable(runtime.catalog().scan()) if card.kind == "chat"]
        self.card = self._card(given.get("model", ""))
        self.client = self._client(given.get("client", ""))
        self.origin = self._origin(given.get("base", "").strip(), request.build_absolute_uri("/").rstrip("/"))

    def _card(self, name: str) -> ModelCard | None:
        named = next((card for card in self.cards if card.id == name), None)
        shown = named or next(iter(self.cards), None)
        if name and shown and not named:
            self.problems.append(
                f"There is no model {_cut(name)} for chats here; the texts are for {shown.id}."
            )
        return shown

    def _client(self, name: str) -> ConnectableClient:
        found = find(name)
        if name and not found:
            self.problems.append(f"There is no client {_cut(name)}; the texts are for {CLIENTS[0].title}.")
        return found or CLIENTS[0]

    def _origin(self, address: str, own: str) -> str:
        found = _ADDRESS.fullmatch(address)
        if address and not found:
            self.problems.append(
                f"“{_cut(address)}” is no address of a server, which begins with http:// or https:// and has "
                f"no path; the texts have {own}."
            )
        return found[1] if found else own

    @property
    def query(self) -> str:
        model = self.card.id if self.card else ""
        return urlencode({"model": model, "client": self.client.name, "base": self.origin})


def _cut(text: str) -> str:
    return Truncator(text).chars(_LONGEST_SHOWN)


def _blocks(request: HttpRequest, choice: _Choice, key: str) -> list[dict[str, Any]]:
    """The client's parts with their texts; none where there is no model."""
    if choice.card is None:
        return []
    try:
        (card,) = runtime.pool().fitted(choice.card)
        values = Values(
            origin=choice.origin, key=key, model=card.id, context=card.context_length, sees=card.sees
        )
    except UnusableValue as error:
        messages.error(request, str(error))
        return []
    return [
        {"title": part.title, "path": part.path, "text": part.filled(values)} for part in choice.client.parts
    ]


def _key(request: HttpRequest) -> tuple[str, bool]:
    """The key to fill in, and whether one was made that cannot be shown any more."""
    if request.method == "POST":
        return request.POST.get("key", "").strip()[:_LONGEST_KEY], False
    token = request.GET.get("made", "")
    shown = ONE_TIME_SECRETS.take(token, request.session.session_key or "") if token else None
    return (shown.secret, False) if shown else ("", bool(token))


def _with_new_key(request: HttpRequest, choice: _Choice) -> HttpResponse:
    """Make a key for this client; the page that it redirects to shows it once."""
    if not request.user.has_perm("inference.add_apikey"):
        raise PermissionDenied
    user = cast(User, request.user)  # the admin's pages require a login
    key = ApiKey(owner=user, name=ApiKey.objects.free_name(user, choice.client.title))
    secret = key.give_secret()
    try:
        key.full_clean()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(f"{reverse('connect')}?{choice.query}")
    key.save()
    audit_log.record(user, user, key, "Created on the page Connect.", ADDITION)
    token = ONE_TIME_SECRETS.keep(key.pk, secret, request.session.session_key or "")
    return redirect(f"{reverse('connect')}?{choice.query}&{urlencode({'made': token})}")
