"""A body of Anthropic's dialect that has every kind of object that clients send."""

from typing import Any

from inference.api.anthropic.schemas import MessagesBody
from inference.api.http.strict_schema import Strict
from tests.pictures import as_base64, png

_TEXT = {"type": "text", "text": "Hi"}
_SEARCH = {"type": "search_result", "title": "Noon", "source": "a", "content": [_TEXT]}
_IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": as_base64(png())},
}
_RESULT = [_TEXT, _IMAGE, _SEARCH, {"type": "tool_reference", "tool_name": "now"}]
_FORMAT = {"type": "json_schema", "schema": {"type": "object"}}
MESSAGES: dict[str, Any] = {
    "model": "tiny",
    "max_tokens": 50,
    "system": [_TEXT],
    "messages": [
        {
            "role": "user",
            "content": [
                _TEXT,
                _IMAGE,
                {"type": "document", "title": "a", "source": {"type": "content", "content": [_TEXT]}},
                {
                    "type": "document",
                    "context": "b",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
                {"type": "compaction", "content": "So far."},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": ""},
                {"type": "server_tool_use", "id": "b"},
                {"type": "tool_use", "id": "a", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": _RESULT, "is_error": False}],
        },
    ],
    "tools": [
        {"name": "now", "description": "The time.", "input_schema": {"type": "object"}, "strict": True},
        {"type": "bash_20250124", "name": "bash"},
    ],
    "tool_choice": {"type": "tool", "name": "now", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 5, "display": "omitted"},
    "output_config": {"effort": "low", "format": _FORMAT},
    "stop_sequences": ["a"],
    "stream": True,
    "temperature": 1,
    "top_p": 1,
    "top_k": 1,
    "metadata": {"user_id": "ann"},
}
BODIES: dict[str, tuple[type[Strict], dict[str, Any]]] = {
    "messages": (MessagesBody, MESSAGES),
}
