"""For each endpoint a body that has every field of its schema."""

from typing import Any

from inference.api.http.strict_schema import Strict
from inference.api.ollama.schemas import (
    EmbedBody,
    GenerateBody,
    OldEmbeddingBody,
    OllamaChatBody,
    ShowBody,
)
from tests.pictures import as_base64, png

OPTIONS: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "min_p": 0.5,
    "seed": 5,
    "num_predict": 5,
    "stop": ["a"],
    "repeat_penalty": 1.5,
    "repeat_last_n": -1,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
}
_SHARED: dict[str, Any] = {
    "model": "tiny",
    "stream": False,
    "format": {"type": "object"},
    "options": OPTIONS,
    "think": "low",
    "logprobs": True,
    "top_logprobs": 5,
}
FUNCTION = {"name": "now", "description": "Tells it.", "parameters": {"type": "object"}, "strict": True}
CHAT = _SHARED | {
    "messages": [
        {"role": "user", "content": "Hi", "images": [as_base64(png())]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm.",
            "tool_calls": [{"id": "a", "function": {"name": "now", "arguments": {"zone": "UTC"}}}],
        },
        {"role": "tool", "content": "noon", "tool_name": "now", "tool_call_id": "a"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}
GENERATE = _SHARED | {"prompt": "Hi", "system": "Be brief.", "images": [as_base64(png())]}
_PLAIN = {name: value for name, value in _SHARED.items() if name not in {"format", "think"}}
RAW = _PLAIN | {"prompt": "Hi", "raw": True, "suffix": "end"}
BODIES: dict[str, tuple[type[Strict], dict[str, Any]]] = {
    "chat": (OllamaChatBody, CHAT),
    "generate": (GenerateBody, GENERATE),
    "raw": (GenerateBody, RAW),
    "embed": (
        EmbedBody,
        {"model": "tiny", "input": ["Once"], "truncate": False, "dimensions": 1},
    ),
    "embeddings": (OldEmbeddingBody, {"model": "tiny", "prompt": "Once"}),
    "show": (ShowBody, {"model": "tiny"}),
}
