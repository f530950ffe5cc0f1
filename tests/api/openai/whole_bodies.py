"""For each endpoint a body that has every field of its schema, so that each can be broken in turn."""

from collections.abc import Iterator, Mapping
from typing import Any

from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    DetokenizeBody,
    EmbeddingBody,
    ResponseBody,
    Strict,
)

Path = tuple[str | int, ...]
_CALL = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}}
_SHARED: dict[str, Any] = {
    "model": "tiny",
    "temperature": 1,
    "top_p": 1,
    "top_k": 1,
    "min_p": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "repetition_penalty": 1,
    "logit_bias": {"5": 1},
    "seed": 1,
    "n": 1,
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "user": "ann",
    "ignore_eos": False,
    "max_tokens": 1,
}
_FUNCTION = {"name": "now", "description": "Tells it.", "parameters": {"type": "object"}, "strict": True}
_SCHEMA = {"name": "x", "schema": {"type": "object"}, "strict": True}
_ITEM = {"id": "x_1", "status": "completed"}
CHAT = _SHARED | {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [_CALL], "reasoning_content": "Hm."},
        {"role": "tool", "content": "noon", "tool_call_id": "a"},
    ],
    "logprobs": True,
    "top_logprobs": 1,
    "max_completion_tokens": 1,
    "tools": [{"type": "function", "function": _FUNCTION}],
    "tool_choice": {"type": "function", "function": {"name": "now"}},
    "parallel_tool_calls": True,
    "response_format": {"type": "json_schema", "json_schema": _SCHEMA},
    "reasoning_effort": "low",
    "chat_template_kwargs": {"enable_thinking": True, "thinking": True, "clear_thinking": True},
    "metadata": {"team": "blue"},
    "safety_identifier": "ann",
    "prompt_cache_key": "k",
}
COMPLETION = _SHARED | {"prompt": ["Once", [1, 2]], "echo": True, "logprobs": 1}
INFILL = _SHARED | {"prompt": "Once", "suffix": "end", "logprobs": 1}
RESPONSE: dict[str, Any] = {
    "model": "tiny",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}], **_ITEM},
        {"type": "message", "role": "assistant", "content": "Hm.", "phase": "commentary", **_ITEM},
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}], **_ITEM},
        {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}", **_ITEM},
        {
            "type": "function_call_output",
            "call_id": "a",
            "output": [{"type": "input_text", "text": "noon"}],
            **_ITEM,
        },
    ],
    "instructions": "Be brief.",
    "previous_response_id": "resp_1",
    "tools": [{"type": "function", **_FUNCTION}],
    "tool_choice": {"type": "function", "name": "now"},
    "parallel_tool_calls": True,
    "text": {"format": {"type": "json_schema", **_SCHEMA}},
    "reasoning": {"effort": "low"},
    "max_output_tokens": 1,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "metadata": {"team": "blue"},
    "store": True,
    "stream": True,
    "stream_options": {"include_obfuscation": False},
    "truncation": "disabled",
    "user": "ann",
    "safety_identifier": "ann",
    "prompt_cache_key": "k",
}
EMBEDDING = {
    "model": "vectors",
    "input": ["Once", [1]],
    "encoding_format": "float",
    "dimensions": 1,
    "user": "ann",
}
BODIES: Mapping[str, tuple[type[Strict], dict[str, Any]]] = {
    "chat": (ChatCompletionBody, CHAT),
    "completion": (CompletionBody, COMPLETION),
    "infill": (CompletionBody, INFILL),
    "response": (ResponseBody, RESPONSE),
    "embedding": (EmbeddingBody, EMBEDDING),
    "detokenize": (DetokenizeBody, {"model": "tiny", "tokens": [1]}),
}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place in a body."""
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in inside:
        yield (*above, step)
        if isinstance(below, dict | list):
            yield from paths(below, (*above, step))


def replaced(body: Any, path: Path, value: Any) -> Any:
    """A copy with another value in one place."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = replaced(body[path[0]], path[1:], value)  # type: ignore[index]
    return copy
