"""Checks of Host and Origin: the site's own host names only, and pages of other sites only where allowed.

One wrapper for HTTP and websockets, because Django checks the Host only where a view reads it, and Channels
checks neither the Host nor the port of the Origin. It also gives each request an id, and answers HEAD as GET.
"""

from collections.abc import Mapping
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from inference.api.http import cors, disconnects, errors, origin
from inference.core import request_id
from inference.core.errors import InvalidRequest, PermissionDenied, ServerError
from mlxsite.refusal_log import REFUSAL_LOG

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_API_SOCKETS = frozenset({"/v1/responses"})
_UNKNOWN_HOST = "This host name is not allowed; add it to MLX_SERVER_ALLOWED_HOSTS."
# Django adds the other security headers; this one keeps other sites from embedding our answers.
_RESOURCE_POLICY = (b"cross-origin-resource-policy", b"same-origin")


class Edge:
    """An ASGI application that passes on only requests with a valid Host and an allowed Origin."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        scope = _as_sent(scope)
        if scope["type"] == "websocket":
            await self._open_websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _open_websocket(self, scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        refusal = _refused_host(scope) or _refused_socket(scope)
        made = request_id.begin(_by_name(scope).get("x-request-id", ""))
        if refusal is None:
            with disconnects.watched(scope) as watched:
                await self._application(watched, receive, _accepting(send, made))
        else:
            REFUSAL_LOG(refusal)
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": None})

    async def _answer(self, scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers, origins = _by_name(scope), _values(scope, b"origin")
        added = [(b"x-request-id", request_id.begin(headers.get("x-request-id", "")).encode())]
        is_cross = cors.is_allowed(scope["path"], origins, settings.CONFIG.foreign_origins)
        added += cors.answer_headers(origins[0]) if is_cross else [_RESOURCE_POLICY]
        if refusal := _refused_host(scope) or (None if is_cross else _refused_request(scope, headers)):
            REFUSAL_LOG(refusal)
            await _refuse(refusal, scope["path"], headers, added, send)
        elif is_cross and cors.is_preflight(scope["method"], headers):
            await _respond(204, [*added[:1], *cors.preflight_headers(origins[0], headers)], b"", send)
        else:
            is_head = scope["method"] == "HEAD"
            shown = {**scope, "method": "GET"} if is_head else scope
            with disconnects.watched(shown) as watched:
                await self._application(watched, receive, _sender(send, added, has_body=not is_head))


def _as_sent(scope: Any) -> Any:
    """The scope with the scheme that the browser used, where a proxy has ended TLS.

    The Host says it, because each of the site's own https origins (MLX_SERVER_ORIGINS) has a name. No header
    of a proxy is trusted: clients that reach us without one could send the same.
    """
    schemes = {"http": "https", "websocket": "wss"}
    hosts = _values(scope, b"host") if scope["type"] in schemes else []
    is_secure = len(hosts) == 1 and f"https://{hosts[0].lower()}" in settings.CONFIG.own_origins
    return {**scope, "scheme": schemes[scope["type"]]} if is_secure else scope


def _refused_host(scope: Any) -> ServerError | None:
    hosts = _values(scope, b"host")
    return None if len(hosts) == 1 and _is_known(hosts[0]) else InvalidRequest(_UNKNOWN_HOST)


def _refused_request(scope: Any, headers: Mapping[str, str]) -> ServerError | None:
    """The error for a request from a page of another site; None for programs and the site's own pages."""
    if cors.is_preflight(scope["method"], headers) and "origin" in headers:
        return _refused_origin(scope)
    if scope["method"] in _SAFE_METHODS or "origin" not in headers:
        return None  # a browser sends the Origin of each POST
    return _refused_origin(scope)


def _refused_socket(scope: Any) -> ServerError | None:
    """The error for a websocket that a page of another site opens; programs open those of the API."""
    origins = _values(scope, b"origin")
    if scope["path"] in _API_SOCKETS and not origins:
        return None  # a browser always sends the Origin
    is_cross = cors.is_allowed(scope["path"], origins, settings.CONFIG.foreign_origins)
    return None if is_cross else _refused_origin(scope)


def _refused_origin(scope: Any) -> ServerError | None:
    origins, hosts = _values(scope, b"origin"), _values(scope, b"host")
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), scope.get("scheme", "http"))
    if len(origins) == 1 and origin.is_own(origins[0], scheme=scheme, host=hosts[0]):
        return None
    return PermissionDenied(origin.refusal(", ".join(origins)))


def _values(scope: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1") for header, value in scope["headers"] if header.lower() == name]


def _by_name(scope: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_known(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _sender(send: ASGISendCallable, added: cors.Headers, *, has_body: bool) -> ASGISendCallable:
    """A `send` that adds headers to the response, and drops its body for a HEAD request."""
    is_over = False

    async def sent(message: ASGISendEvent) -> None:
        nonlocal is_over
        if is_over:
            return
        if message["type"] == "http.response.start":
            message["headers"] = _joined(message.get("headers", ()), added)
        await send(message)
        if message["type"] == "http.response.start" and not has_body:
            is_over = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sent


def _accepting(send: ASGISendCallable, made: str) -> ASGISendCallable:
    """A `send` that gives the acceptance of a websocket its request id."""

    async def sent(message: ASGISendEvent) -> None:
        if message["type"] == "websocket.accept":
            message["headers"] = [*(message.get("headers") or ()), (b"x-request-id", made.encode())]
        await send(message)

    return sent


def _joined(own: Any, added: cors.Headers) -> cors.Headers:
    """All headers; `Vary` is one line, because some caches read only the first."""
    varied = b", ".join(value for name, value in [*own, *added] if name.lower() == b"vary")
    others = [(name, value) for name, value in [*own, *added] if name.lower() != b"vary"]
    return [*others, (b"vary", varied)] if varied else others


async def _refuse(
    refusal: ServerError, path: str, sent: Mapping[str, str], added: cors.Headers, send: ASGISendCallable
) -> None:
    status, body = errors.status_of(refusal, path, sent), errors.encoder_of(path, sent)(refusal)
    headers = [
        (b"content-type", b"application/json"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
        *added,
    ]
    await _respond(status, headers, body, send)


async def _respond(status: int, headers: cors.Headers, body: bytes, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
