"""Who asks: one class decides, so that a wrong key can never fall through to another way in."""

from hashlib import sha256
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest
from ninja.utils import check_csrf

from inference.access import visitor
from inference.errors import AuthenticationFailed, PermissionDenied
from inference.openai import origin
from inference.types import Principal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AuthenticatedRequest(HttpRequest):
    """What a view gets once ninja has put the caller's verdict on the request."""

    auth: Principal


class Caller:
    """Names the principal: anybody on an open site, else the key's owner, else the signed-in user."""

    async def __call__(self, request: HttpRequest) -> Principal:
        config = settings.CONFIG
        if config.is_open:
            _check_origin(request)
            return Principal(kind="local")
        if "Authorization" in request.headers:
            expected = config.api_key.get_secret_value() if config.api_key else ""
            return _key_owner(request.headers["Authorization"], expected)
        return await _signed_in_user(request)


def _key_owner(authorization: str, expected: str) -> Principal:
    scheme, _, given = authorization.partition(" ")
    # Headers arrive decoded as latin-1; equal-length digests keep the comparison's time constant.
    is_right = compare_digest(
        sha256(given.strip().encode("latin-1", "replace")).digest(), sha256(expected.encode()).digest()
    )
    if scheme.lower() != "bearer" or not expected or not is_right:
        raise AuthenticationFailed("This API key is not valid; send it as `Authorization: Bearer KEY`.")
    return Principal(kind="key")


async def _signed_in_user(request: HttpRequest) -> Principal:
    principal = visitor(await request.auser())
    if principal is None:
        raise AuthenticationFailed("Send your API key as `Authorization: Bearer KEY`, or sign in.")
    _check_origin(request)
    # ninja's views are exempt from Django's CSRF middleware, so a session must be checked here.
    if request.method not in SAFE_METHODS and check_csrf(request):
        raise PermissionDenied("The CSRF token is missing or wrong; reload the page and try again.")
    return principal


def _check_origin(request: HttpRequest) -> None:
    sent = request.headers.get("Origin")
    if sent is not None and not origin.is_own(sent, scheme=request.scheme or "http", host=request.get_host()):
        raise PermissionDenied("This request comes from a page of another site.")
