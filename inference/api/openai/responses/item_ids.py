"""Ids of items, each with the prefix that OpenAI gives its kind."""

import secrets

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "compaction": "cmp",
    "compaction_summary": "cmp",
}


def new_id(kind: str) -> str:
    """A new id for an item of this type."""
    return f"{_PREFIXES.get(kind, 'item')}_{secrets.token_hex(16)}"
