"""Counts every HTTP response, and logs it as one line if MLX_SERVER_ACCESS_LOG is set.

A websocket counts as one response when it has ended, with status 101, or 403 if it was refused.
"""

import logging
import re
import time
from typing import Any, Final

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
    WebSocketScope,
)
from django.conf import settings

from inference.api.http import dialects
from inference.serving import tracing
from inference.serving.metrics.request_metrics import CLIENT_LEFT
from inference.serving.metrics.site_metrics import METRICS
from mlxsite.client_address import from_client

logger = logging.getLogger("mlxsite.access")  # operators filter the log by this name
_TOKENS = re.compile(r"^(/password/set/[^/]+/|/s/|/chat/shared/)[^/]+")  # of password links and shared chats
_PLACES: Final = {
    "admin": "admin",
    "api": "operator",
    "static": "static",
    "health": "health",
    "ready": "health",
    "metrics": "metrics",
    "ws": "websocket",
}


class Access:
    """An ASGI application that notes the responses of another one."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        scope = from_client(scope)
        _follow_trace(scope)
        began = time.monotonic()
        status, size = CLIENT_LEFT, 0

        async def noted(message: ASGISendEvent) -> None:
            nonlocal status, size
            match message["type"]:
                case "http.response.start":
                    status = message["status"]
                case "http.response.body":
                    size += len(message.get("body", b""))
                case "websocket.accept":
                    status = 101
                case "websocket.close" if status == CLIENT_LEFT:
                    status = 403
            await send(message)

        try:
            await self._application(scope, receive, noted)
        except Exception:
            status = 500 if status == CLIENT_LEFT else status
            raise
        finally:
            client = (scope.get("client") or ("-",))[0]
            method = scope["method"] if scope["type"] == "http" else "GET"
            note(method, scope["path"], status, size, time.monotonic() - began, client)


def _follow_trace(scope: HTTPScope | WebSocketScope) -> None:
    if any(name == b"traceparent" for name, _ in scope["headers"]):
        tracing.follow({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})


def note(method: str, path: str, status: int, size: int, seconds: float, client: str) -> None:
    """Count a response of `size` bytes, and log it without secrets: neither queries nor tokens in paths."""
    METRICS.count_http(endpoint_of(path), status)
    if not settings.CONFIG.access_log:
        return
    fields: dict[str, Any] = {
        "client": client,
        "method": method,
        "path": _TOKENS.sub(r"\1-", path),
        "status": status,
        "bytes": size,
        "seconds": round(seconds, 3),
    }
    text = "%(client)s %(method)s %(path)s %(status)s, %(bytes)s bytes in %(seconds)s s"
    logger.info(text, fields, extra={"fields": fields})


def endpoint_of(path: str) -> str:
    """What the metrics call the address: one of a fixed number of names."""
    return dialects.name_of(path) or _PLACES.get(path.partition("/")[2].partition("/")[0], "pages")
