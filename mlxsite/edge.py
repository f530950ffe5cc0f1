"""The site's outer wall: a Host that is ours, and no browser request made by a page of another site.

One wrapper for HTTP and websockets, because Django checks the Host only where a view asks for it, and
Channels checks neither the Host nor the Origin's port.
"""

from collections.abc import Awaitable
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from inference.api.http import disconnects, errors, origin
from inference.core.errors import InvalidRequest, PermissionDenied, ServerError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNKNOWN_HOST = "This server does not answer to this host name; MLX_SERVER_ALLOWED_HOSTS lists further ones."
_FOREIGN_ORIGIN = "This request comes from a page of another site."
# Django adds the other security headers; this one keeps other sites from embedding our answers.
_RESOURCE_POLICY = (b"cross-origin-resource-policy", b"same-origin")


class Edge:
    """An ASGI application that lets only this site's own requests through to `application`."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        refusal = _refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            with disconnects.watched(scope) as watched:
                await self._application(watched, receive, _guarded(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": None})
        else:
            await _tell(refusal, send)


def _refusal(scope: Any) -> ServerError | None:
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not _is_known(hosts[0]):
        return InvalidRequest(_UNKNOWN_HOST)
    if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
        return None
    origins = _values(scope, b"origin")
    if not origins and scope["type"] == "http":
        return None  # not from a browser; a browser names the origin of each websocket and each POST
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), scope.get("scheme", "http"))
    if len(origins) == 1 and origin.is_own(origins[0], scheme=scheme, host=hosts[0]):
        return None
    return PermissionDenied(_FOREIGN_ORIGIN)


def _values(scope: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1") for header, value in scope["headers"] if header.lower() == name]


def _is_known(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _guarded(send: ASGISendCallable) -> ASGISendCallable:
    def guarded(message: ASGISendEvent) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), _RESOURCE_POLICY]
        return send(message)

    return guarded


async def _tell(refusal: ServerError, send: ASGISendCallable) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
        _RESOURCE_POLICY,
    ]
    await send(
        {"type": "http.response.start", "status": refusal.status, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": errors.encode(refusal), "more_body": False})
