"""What Anthropic's dialect adds to the OpenAPI description of /v1."""

from collections.abc import Mapping
from typing import Any

from inference.api.anthropic.schemas import CountTokensBody, MessagesBody
from inference.api.http.strict_schema import Strict

_TEXT, _COUNT = {"type": "string"}, {"type": "integer"}
_USAGE = {
    "type": "object",
    "required": ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"],
    "properties": {
        "input_tokens": _COUNT,
        "output_tokens": _COUNT,
        "cache_read_input_tokens": _COUNT,
        "cache_creation_input_tokens": _COUNT,
    },
}
_BLOCK = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"enum": ["thinking", "text", "tool_use"]}},
}
_REASONS = ["end_turn", "max_tokens", "stop_sequence", "tool_use", "model_context_window_exceeded"]
OBJECTS: Mapping[str, dict[str, Any]] = {
    "Message": {
        "type": "object",
        "required": ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"],
        "properties": {
            "id": _TEXT,
            "type": {"const": "message"},
            "role": {"const": "assistant"},
            "model": _TEXT,
            "content": {"type": "array", "items": _BLOCK},
            "stop_reason": {"enum": _REASONS},
            "stop_sequence": {"type": ["string", "null"]},
            "usage": _USAGE,
        },
    },
    "TokenCount": {
        "type": "object",
        "required": ["input_tokens"],
        "properties": {"input_tokens": _COUNT},
    },
    "AnthropicError": {
        "type": "object",
        "required": ["type", "error", "request_id"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {"type": _TEXT, "message": _TEXT},
            },
            "request_id": _TEXT,
        },
    },
}
BODIES: Mapping[str, tuple[type[Strict], ...]] = {
    "/messages": (MessagesBody,),
    "/messages/count_tokens": (CountTokensBody,),
}
STREAMED = frozenset({"/messages"})
ANSWERS: Mapping[tuple[str, str], str] = {
    ("post", "/messages"): "Message",
    ("post", "/messages/count_tokens"): "TokenCount",
}
