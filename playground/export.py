"""Export: a conversation as a file, to keep, to read, or to import elsewhere."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from inference.core.requests import Picture
from playground.attachment_prompt import fenced

FORMAT = "mlxsite-conversation-1"
_OF_PAGES = ("waiting", "thinking", "thought_s", "error_param")  # progress, and the setting to be changed
_EXPORTED = (
    *("id", "title", "folder", "is_pinned", "created_at", "changed_at"),
    *("settings", "tip", "messages", "pictures"),
)


def to_json(conversation: Mapping[str, Any]) -> str:
    """All branches as JSON, with each picture in base64 once; `schemas.ImportBody` reads it."""
    exported = {name: conversation[name] for name in _EXPORTED if name in conversation}
    exported["messages"] = [
        {name: value for name, value in message.items() if name not in _OF_PAGES}
        for message in exported["messages"]
    ]
    if "pictures" in exported:
        exported["pictures"] = {pk: _encoded(picture) for pk, picture in exported["pictures"].items()}
    return json.dumps({"format": FORMAT, **exported}, ensure_ascii=False, indent=1)


def to_markdown(conversation: Mapping[str, Any]) -> str:
    """The branch that is shown, as Markdown."""
    sections = [f"# {conversation['title']}"]
    for message in _branch(conversation["messages"], conversation["tip"]):
        sections += _sections(message)
    return "\n\n".join(sections) + "\n"


FORMATS: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
    "json": (to_json, "application/json"),
    "md": (to_markdown, "text/markdown"),
}


def _encoded(picture: Picture) -> dict[str, str]:
    return {"media_type": picture.media_type, "data": base64.b64encode(picture.data).decode()}


def _branch(messages: Sequence[Mapping[str, Any]], tip: int | None) -> list[Mapping[str, Any]]:
    by_id = {message["id"]: message for message in messages}
    path = []
    while tip is not None and tip in by_id:
        path.append(by_id[tip])
        tip = by_id[tip]["parent"]
    return path[::-1]


def _sections(message: Mapping[str, Any]) -> Iterator[str]:
    yield "## You" if message["role"] == "user" else f"## {message['model'] or 'Answer'}"
    if message["reasoning"]:
        yield "\n".join(f"> {line}".rstrip() for line in message["reasoning"].splitlines())
    for attachment in message.get("attachments", ()):
        yield _file(attachment)
    if message["content"]:
        yield str(message["content"])
    for call in message["calls"]:
        yield f"Calls `{call['name']}`:\n\n```json\n{call['arguments']}\n```"
        if "result" in call:
            yield f"Result:\n\n```\n{call['result']}\n```"
    if message["status"] in {"stopped", "failed"}:
        yield f"*({message['error'] or 'stopped'})*"


def _file(attachment: Mapping[str, Any]) -> str:
    """A file with its text; a picture by its name and size."""
    name = attachment["name"]
    if "text" in attachment:
        return f"{name}:\n\n{fenced(attachment['text'])}"
    kilobytes = max(1, round(attachment["size"] / 1000))
    return f"{name} (picture, {attachment['width']:,} × {attachment['height']:,} pixels, {kilobytes:,} kB)"
