"""GET and POST /api/keys: the API keys of all accounts; and POST /api/keys/renew and /api/keys/revoke."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from ninja import Router
from pydantic import BeforeValidator, Field

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.page_permission import PagePermission, account
from inference.core.principal import Scope
from inference.serving import issued_keys
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("inference.view_apikey"))
_adding = PagePermission("inference.add_apikey", takes_keys=False)
_changing = PagePermission("inference.change_apikey", takes_keys=False)
_MOST_GRACE_H = 24 * 365
_Limit = Annotated[int, Field(ge=1, le=2**31 - 1)] | None


def _parsed_end(given: object) -> object:
    """The end that the text names; `null` has none, and a number would be ambiguous."""
    return given if given is None else issued_keys.end_of(str(given))


_End = Annotated[datetime | None, BeforeValidator(_parsed_end)]


class NewKey(Strict):
    """A key to issue; what is missing is without a limit, and an owner that is missing is the caller."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    owner: Annotated[str, Field(max_length=150)] = ""
    scopes: list[Scope] = Field(["chat", "embeddings"], min_length=1, max_length=4)
    models: list[Annotated[str, Field(min_length=1, max_length=512)]] = Field([], max_length=256)
    expires: _End = None
    requests_per_minute: _Limit = None
    tokens_per_day: _Limit = None
    concurrent_streams: _Limit = None


class NamedKey(Strict):
    """Which key is meant, by the visible beginning that the list shows."""

    prefix: Annotated[str, Field(min_length=1, max_length=64)]


class Renewal(NamedKey):
    expires: _End = None
    grace_hours: Annotated[int, Field(ge=0, le=_MOST_GRACE_H)] = 0


@router.get("/keys")
async def show(request: HttpRequest) -> HttpResponse:
    """Every key without its secret."""
    return json_answer({"keys": await in_database(issued_keys.listed)})


@router.post("/keys", auth=_adding)
async def issue(request: AuthenticatedRequest) -> HttpResponse:
    """Issue a key, and answer with its secret, which can be seen only now."""
    body = await strict_json.read(request, NewKey)
    wishes = issued_keys.KeyWishes(**body.model_dump(exclude_none=True))
    giver = await account(request, request.auth)
    return _secret(await in_database(partial(issued_keys.issue, wishes, giver)))


@router.post("/keys/renew", auth=_adding)
async def renew(request: AuthenticatedRequest) -> HttpResponse:
    """Give a key a new secret; the old one works for `grace_hours` more."""
    body = await strict_json.read(request, Renewal)
    giver = await account(request, request.auth)
    renewal = partial(
        issued_keys.renew,
        body.prefix,
        giver,
        expires=body.expires,
        grace=timedelta(hours=body.grace_hours),
    )
    return _secret(await in_database(renewal))


@router.post("/keys/revoke", auth=_changing)
async def revoke(request: AuthenticatedRequest) -> HttpResponse:
    """Revoke a key for good."""
    prefix = (await strict_json.read(request, NamedKey)).prefix
    giver = await account(request, request.auth)
    return json_answer(await in_database(partial(issued_keys.revoke, prefix, giver)))


def _secret(key: issued_keys.ListedKey) -> HttpResponse:
    response = json_answer(key)
    add_never_cache_headers(response)
    return response
