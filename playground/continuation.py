"""Continuation: an answer that goes on in place, from the text it has."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from inference.core.errors import ModelNotFound
from inference.core.requests import ChatRequest
from inference.serving import runtime
from playground import chat_request
from playground.models import Message

_CALLS = "This answer calls functions, so it cannot be continued. Send their results, or regenerate it."
_REASONING = (
    "This answer ended while the model was still reasoning, so there is no text to continue. Regenerate it."
)
_EMPTY = "This answer has no text to continue. Regenerate it."


def refusal(message: Message) -> str:
    """Why an answer cannot be continued; empty where it can."""
    if message.calls:
        return _CALLS
    if message.content:
        return ""
    return _REASONING if message.reasoning else _EMPTY


def question(made: Mapping[str, Any] | None, current: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the question for the rest of an answer: those that made it, with the page's length limit.

    The limit is the page's because it may be what cut the answer. An imported answer has no such fields; it
    is continued with all of the page's. Reads the catalog, so call it from a thread.

    Raises ModelNotFound where the model that made the answer is no longer served.
    """
    if not made:
        return dict(current)
    if runtime.catalog().find(str(made.get("model", ""))) is None:
        raise ModelNotFound(
            f"The model {made.get('model')!r}, which wrote this answer, is not on this server any more. "
            "Regenerate the answer with another model.",
            param="model",
        )
    kept = {
        name: value for name, value in made.items() if name not in {"max_tokens", "max_completion_tokens"}
    }
    limit = {"max_tokens": current["max_tokens"]} if "max_tokens" in current else {}
    return {**kept, **limit}


def request(
    chat: ChatRequest, system: str, branch: Sequence[Message], pictures: chat_request.Pictures
) -> ChatRequest:
    """`chat` with the messages of `branch`, of which the last is the answer to be continued."""
    made = chat_request.with_conversation(chat, system, branch, pictures)
    last = structs.replace(made.messages[-1], reasoning=branch[-1].reasoning)
    return structs.replace(made, messages=(*made.messages[:-1], last), continues=True)
