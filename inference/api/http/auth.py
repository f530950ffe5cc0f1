"""Authentication: one class decides, so that a wrong key can never fall through to another way in."""

import time
from hashlib import sha256
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest
from ninja.utils import check_csrf

from inference.accounts.key_ring import RING
from inference.accounts.permissions import acheck_may_chat, visitor
from inference.accounts.rate_limits import LIMITS
from inference.api.http import origin, rate_limit_headers
from inference.core import key_secret
from inference.core.errors import AuthenticationFailed, PermissionDenied
from inference.core.principal import ANYBODY, Principal, Scope
from inference.serving import runtime
from inference.serving.recording.request_entry import KeyUse
from inference.storage.database_threads import release_connection

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


_HOW_TO_SEND = "send it as `Authorization: Bearer KEY`, or in the header `x-api-key`"


class AuthenticatedRequest(HttpRequest):
    """What a view gets once ninja has put the principal on the request."""

    auth: Principal


class Caller:
    """Names the principal: the key's owner, else anybody on an open site, else the signed-in user.

    Keys made here are known by their form. They count on an open site too, where any other is not looked at.
    """

    def __init__(self, scope: Scope | None = None) -> None:
        self.scope = scope

    async def __call__(self, request: HttpRequest) -> Principal:
        principal = await self._principal(request)
        if self.scope and self.scope not in principal.scopes:
            raise PermissionDenied(
                f"This API key lacks the scope {self.scope!r}; an administrator can add it in the admin."
            )
        return principal

    async def _principal(self, request: HttpRequest) -> Principal:
        config = settings.CONFIG
        if config.is_open and not origin.is_allowed(
            request.headers.get("Origin", ""), config.foreign_origins
        ):
            _check_origin(request)
        given = _key_in(request)
        expected = config.api_key.get_secret_value() if config.api_key else ""
        if given and expected and _is_same(given, expected):
            return Principal(kind="key")
        if key_secret.prefix_of(given):
            return await _holder(request, given)
        if config.is_open:
            return ANYBODY
        if given or not _sends_no_key(request):
            raise AuthenticationFailed(f"This API key is not valid; {_HOW_TO_SEND}.")
        return await _signed_in_user(request, self.scope)


def _key_in(request: HttpRequest) -> str:
    """The key that the request brings: as a bearer token, or else in Anthropic's header `x-api-key`.

    Anthropic's clients send both headers where both are configured, one of them empty: that is no key.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or request.headers.get("x-api-key", "").strip()


def _sends_no_key(request: HttpRequest) -> bool:
    """Whether no header claims a key; one of another scheme than Bearer does, and is wrong."""
    return request.headers.get("Authorization", "").strip().lower() in ("", "bearer")


def _is_same(given: str, expected: str) -> bool:
    # Headers arrive decoded as latin-1; equal-length digests keep the comparison's time constant.
    return compare_digest(
        sha256(given.encode("latin-1", "replace")).digest(), sha256(expected.encode()).digest()
    )


async def _holder(request: HttpRequest, given: str) -> Principal:
    principal, known = await RING.holder(given)
    meter = LIMITS.of(principal)
    meter.begin_day(known.day, known.tokens_today)
    rate_limit_headers.attach(request, principal)
    if meter.is_record_due:
        meter.note_record()
        runtime.ledger()(KeyUse(prefix=principal.name, at=time.time()))
    await LIMITS.count_request(principal)
    return principal


async def _signed_in_user(request: HttpRequest, scope: Scope | None) -> Principal:
    user = await request.auser()
    principal = visitor(user)
    if principal is None:
        raise AuthenticationFailed(
            "Send your API key as `Authorization: Bearer KEY` or in the header `x-api-key`, or sign in."
        )
    _check_origin(request)
    # ninja's views are exempt from Django's CSRF middleware, so a session must be checked here.
    if request.method not in SAFE_METHODS and check_csrf(request):
        raise PermissionDenied("The CSRF token is missing or wrong; reload the page and try again.")
    if scope not in ("manage", "metrics"):  # the rights of operators are checked where they are needed
        await acheck_may_chat(user)
    await release_connection()
    return principal


def _check_origin(request: HttpRequest) -> None:
    sent = request.headers.get("Origin")
    if sent is not None and not origin.is_own(sent, scheme=request.scheme or "http", host=request.get_host()):
        raise PermissionDenied(origin.refusal(sent))
