"""What another server says in place of an answer, as an error of this one."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from inference.core.errors import (
    BodyTooLarge,
    ContextLengthExceeded,
    InvalidRequest,
    QueueFull,
    ServerError,
    UpstreamFailed,
)

_LONGEST = 300  # characters of what the server says
_PATH = re.compile(r"(?<![\w:/.])(?:~|[A-Za-z]:)?(?:[/\\][\w.@+-]+){2,}")
_BUSY = frozenset({429, 503})


class Unanswered(Exception):
    """An address gave no answer; another one may. `error` is what the client gets if none does.

    `pause_s` are the seconds that it asks for because it is busy; None where it failed.
    """

    def __init__(self, error: ServerError, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.pause_s = pause_s


def of_status(status: int, body: bytes, retry_after: str) -> ServerError | Unanswered:
    """What a status other than 200 means: an error that every address would give, or an Unanswered.

    `retry_after` is that header's value.
    """
    message = _message(body)
    if status in _BUSY:
        pause = min(60.0, float(retry_after)) if retry_after.isdecimal() else 1.0
        text = "The server that answers for this model has no room for more requests; try again shortly."
        return Unanswered(QueueFull(text, retry_after=max(1.0, pause)), "it is busy", pause)
    if 300 <= status < 400:
        return _failed("it answers with a redirect, which is never followed")
    if status in (401, 403):
        return _failed("it refuses the key that this site has for it")
    if status == 404:
        return _failed("it does not have the model, or this is not the address of its API")
    if status == 413:
        return BodyTooLarge("The request is too large for the server that answers for this model.")
    if 400 <= status < 500:
        return _refused(body, message)
    return _failed(f"it answers with status {status}{f': {message}' if message else ''}")


def unreachable(why: str) -> Unanswered:
    """Of an address that cannot be reached, or that is silent for too long."""
    return _failed(why)


def error_in(chunk: Mapping[str, Any]) -> str:
    """What an error object says, without paths; empty where this is none."""
    error = chunk.get("error")
    if chunk.get("object") == "error" or isinstance(chunk.get("detail"), str):
        error = error or chunk
    if not error:
        return ""
    text = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return cleaned(text) if isinstance(text, str) and text.strip() else "it gives no reason."


def cleaned(text: str) -> str:
    """One line of bounded length, with no control characters and no paths."""
    line = "".join(char if char.isprintable() else " " for char in text[: 4 * _LONGEST])
    return _PATH.sub("…", " ".join(line.split()))[:_LONGEST]


def _failed(reason: str) -> Unanswered:
    return Unanswered(UpstreamFailed(f"The server that answers for this model failed: {reason}."), reason)


def _message(body: bytes) -> str:
    return error_in(_object(body)).rstrip(".") if body else ""


def _refused(body: bytes, message: str) -> InvalidRequest:
    found = _object(body).get("error")
    error = found if isinstance(found, dict) else {}
    param = error.get("param")
    param = param[:200] if isinstance(param, str) and param else None
    text = f"The server that answers for this model refuses the request: {message or 'it gives no reason'}."
    if error.get("code") == ContextLengthExceeded.code:
        return ContextLengthExceeded(text, param=param)
    return InvalidRequest(text, param=param)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
