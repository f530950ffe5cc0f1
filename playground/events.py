"""The playground's stream dialect: each of the request's events as one server-sent JSON line."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference import chat
from inference.errors import InternalError, ServerError
from inference.types import ChatRequest, Event, Principal

logger = logging.getLogger(__name__)

# Daphne sends the headers with the first bytes of the body only.
_OPENING = b": ok\n\n"


async def sent(request: ChatRequest, principal: Principal) -> AsyncGenerator[bytes]:
    """The events of one answer as bytes, ending in one `finished` or one `error`; closing it cancels."""
    yield _OPENING
    try:
        async with aclosing(chat.stream(request, principal)) as events:
            async for event in events:
                yield frame(event)
    except ServerError as error:
        yield error_frame(error)
    except Exception:
        # An exception that leaves a started stream hangs the client on Daphne, so none may.
        logger.exception("A playground answer failed")
        yield error_frame(InternalError("Something went wrong on the server; its log says what. Try again."))


def frame(event: Event) -> bytes:
    """`data: {"type": "text", "text": ...}`: the type is the event's own tag."""
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def error_frame(error: ServerError) -> bytes:
    return b"data: " + msgspec.json.encode({"type": "error", **described(error)}) + b"\n\n"


def described(error: ServerError) -> dict[str, str | None]:
    """The error as the page gets it, in a stream or as a plain answer."""
    return {"code": error.code, "message": error.message, "param": error.param}
