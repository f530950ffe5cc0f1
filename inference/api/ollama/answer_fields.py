"""The fields of an answer in the dialect of Ollama: text, reasoning, calls and log probabilities."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from inference.core.events import (
    TokenLogprob,
)
from inference.core.requests import ToolCall

Json = dict[str, Any]
Calls = list[Json]
# What an endpoint makes of text, reasoning and calls.
AnswerFields = Callable[[str, str, Calls], Json]


def chat_fields(text: str, thinking: str, calls: Calls) -> Json:
    """The answer of /api/chat."""
    message: Json = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = calls
    return {"message": message}


def generate_fields(text: str, thinking: str, calls: Calls) -> Json:
    """The answer of /api/generate, which offers no tools."""
    return {"response": text, "thinking": thinking} if thinking else {"response": text}


def timestamp(seconds: float) -> str:
    """A unix time as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def call_objects(calls: Iterable[ToolCall]) -> Calls:
    """The calls whose arguments are an object, as Ollama writes them."""
    return [
        {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}}
        for index, call in enumerate(calls)
        if (arguments := _arguments(call)) is not None
    ]


def calls_left_as_text(calls: Iterable[ToolCall]) -> str:
    """Calls whose arguments are no object: Ollama has only text for these."""
    return "".join(f"{call.name}({call.arguments})" for call in calls if _arguments(call) is None)


def _arguments(call: ToolCall) -> Json | None:
    try:
        found = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def logprob_fields(tokens: Sequence[TokenLogprob]) -> Json:
    if not tokens:
        return {}
    return {
        "logprobs": [
            _logprob(token) | ({"top_logprobs": [_logprob(one) for one in token.top]} if token.top else {})
            for token in tokens
        ]
    }


def _logprob(token: TokenLogprob) -> Json:
    return {"token": token.text, "logprob": token.logprob, "bytes": token.bytes}
