"""Anthropic's tools that the client runs: requests name them by type, and their schemas are published.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use (bash, text editor, memory).
"""

import json
import re
from typing import Any, Final

from inference.core.requests import Tool

_DATED: Final = re.compile(r"(bash|text_editor|memory)_\d{8}")
_NAMES: Final = {"bash": "bash", "text_editor": "str_replace_based_edit_tool", "memory": "memory"}
_DESCRIPTIONS: Final = {
    "bash": "Runs a command in a bash session that stays open between calls, and returns its output.",
    "text_editor": "Views, creates and edits text files.",
    "memory": "Keeps notes in files below /memories, between conversations.",
}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values), "description": "What to do."}


_RANGE = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "For view: the first and the last line, from 1 on; -1 is the end.",
}
_EDITS: dict[str, Any] = {
    "path": _text("The file or folder."),
    "file_text": _text("For create: the file's whole text."),
    "old_str": _text("For str_replace: the text to be replaced, which must be there exactly once."),
    "new_str": _text("For str_replace: the new text."),
    "insert_line": {"type": "integer", "description": "For insert: after which line; 0 is the beginning."},
    "insert_text": _text("For insert: the text."),
    "view_range": _RANGE,
}
_COMMANDS = ("view", "create", "str_replace", "insert")
_PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "bash": {
        "command": _text("The command to run; required unless restart is true."),
        "restart": {"type": "boolean", "description": "true starts the session anew."},
    },
    "text_editor": {"command": _one_of(*_COMMANDS), **_EDITS},
    "memory": {
        "command": _one_of(*_COMMANDS, "delete", "rename"),
        **_EDITS,
        "old_path": _text("For rename: the file or folder."),
        "new_path": _text("For rename: its new path."),
    },
}
_REQUIRED: Final = {"bash": [], "text_editor": ["command", "path"], "memory": ["command"]}
# Earlier editors took the inserted text as `new_str`, and could undo.
_WITH_UNDO: Final = re.compile(r"text_editor_(20241022|20250124)")


def tool_of(kind: str, name: str | None) -> Tool | None:
    """The function that a tool of this type is for the model; None where its schema is not known."""
    found = _DATED.fullmatch(kind)
    if found is None:
        return None
    base = found[1]
    properties = dict(_PROPERTIES[base])
    if _WITH_UNDO.fullmatch(kind):
        properties["command"] = _one_of(*_COMMANDS, "undo_edit")
        properties["new_str"] = _text("For str_replace and insert: the new text.")
        del properties["insert_text"]
    schema = {"type": "object", "properties": properties, "required": _REQUIRED[base]}
    return Tool(name=name or _NAMES[base], description=_DESCRIPTIONS[base], parameters=json.dumps(schema))
