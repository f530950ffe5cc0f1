"""A ServerError in the shape of Anthropic's API (https://docs.anthropic.com/en/api/errors)."""

from collections.abc import Container

import msgspec

from inference.api.http import dialects
from inference.core import request_id
from inference.core.errors import (
    AllPinned,
    AuthenticationFailed,
    BodyTooLarge,
    ContextLengthExceeded,
    ModelNotFound,
    NotFound,
    PermissionDenied,
    PoolFull,
    QueueFull,
    RateLimited,
    ServerError,
    ShuttingDown,
    TooManyConnections,
    UnsupportedField,
)

_ADDRESS = "/v1/messages"
_OVERLOADED = (AllPinned, PoolFull, QueueFull, ShuttingDown)
_TYPES: dict[type[ServerError], str] = {
    AuthenticationFailed: "authentication_error",
    PermissionDenied: "permission_error",
    ModelNotFound: "not_found_error",
    NotFound: "not_found_error",
    BodyTooLarge: "request_too_large",
    RateLimited: "rate_limit_error",
    TooManyConnections: "rate_limit_error",
}


def is_spoken(path: str, headers: Container[str] = ()) -> bool:
    """Whether a request is one of an Anthropic client: by its address, or by the header they all send."""
    path = dialects.served_path(path)
    is_theirs = path == _ADDRESS or path.startswith(f"{_ADDRESS}/")
    return is_theirs or (path.startswith("/v1/") and "anthropic-version" in headers)


def status_of(error: ServerError) -> int:
    """The HTTP status: 529 where others' requests are why this one cannot be served now."""
    return 529 if isinstance(error, _OVERLOADED) else error.status


def request_id_of() -> str:
    """The id of the request that is served in this context, for the header `request-id`."""
    return request_id.current() or request_id.begin()


def encode(error: ServerError) -> bytes:
    """The JSON body of `error`."""
    detail = {"type": _type_of(error), "message": _message_of(error)} | _details_of(error)
    return msgspec.json.encode({"type": "error", "error": detail, "request_id": request_id_of()})


def _type_of(error: ServerError) -> str:
    if isinstance(error, _OVERLOADED):
        return "overloaded_error"
    other = "invalid_request_error" if error.status < 500 else "api_error"
    return next((_TYPES[kind] for kind in type(error).__mro__ if kind in _TYPES), other)


def _details_of(error: ServerError) -> dict[str, object]:
    """What makes the tool runners of Anthropic's SDKs go on without a thread, which they try first."""
    if not isinstance(error, UnsupportedField) or error.param != "thread":
        return {}
    return {"details": {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}}


def _message_of(error: ServerError) -> str:
    """Claude Code compacts a conversation by the text of this message."""
    if not isinstance(error, ContextLengthExceeded) or error.lengths is None:
        return error.message
    prompt, context = error.lengths
    too_long = f"prompt is too long: {prompt} tokens > {context} maximum"
    return f"{too_long}. {error.added}" if error.added else too_long
