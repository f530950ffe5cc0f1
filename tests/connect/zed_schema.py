"""The part of Zed's settings that it is given here, as a JSON schema.

Written after the structs of crates/settings_content in its repository: a member without a default there is
required here. Zed drops all providers where one does not fit.
"""

from typing import Any

_TEXT, _NUMBER, _SWITCH = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object that has all of the first members, and of the others those that it likes."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | optional,
        "additionalProperties": False,  # Zed ignores others, so a wrong name would do nothing
    }


_CAPABILITIES = _object(
    {"tools": _SWITCH, "images": _SWITCH, "parallel_tool_calls": _SWITCH, "prompt_cache_key": _SWITCH},
    chat_completions=_SWITCH,
    interleaved_reasoning=_SWITCH,
)
_MODEL = _object(
    {"name": _TEXT, "max_tokens": _NUMBER},
    display_name=_TEXT,
    max_output_tokens=_NUMBER,
    max_completion_tokens=_NUMBER,
    reasoning_effort=_TEXT,
    capabilities=_CAPABILITIES,
)
_PROVIDER = _object({"api_url": _TEXT, "available_models": {"type": "array", "items": _MODEL}})
_SELECTION = _object({"provider": _TEXT, "model": _TEXT}, enable_thinking=_SWITCH, effort=_TEXT)

ZED_SETTINGS = _object(
    {
        "language_models": _object(
            {"openai_compatible": {"type": "object", "additionalProperties": _PROVIDER}}
        ),
        "agent": _object({"default_model": _SELECTION}),
    }
)
