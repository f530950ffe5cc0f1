"""A conversation as a file, to keep, to read, or to bring in elsewhere."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

FORMAT = "mlxsite-conversation-1"
_KEPT = ("title", "folder", "settings", "tip", "messages")


def whole(conversation: Mapping[str, Any]) -> str:
    """All of it as JSON; schemas.py's ImportBody reads it."""
    kept = {name: conversation[name] for name in _KEPT}
    kept["messages"] = [
        {name: value for name, value in message.items() if name != "waiting"} for message in kept["messages"]
    ]
    return json.dumps({"format": FORMAT, **kept}, ensure_ascii=False, indent=1)


def markdown(conversation: Mapping[str, Any]) -> str:
    """The branch that is shown, for people."""
    parts = [f"# {conversation['title']}"]
    for message in _branch(conversation["messages"], conversation["tip"]):
        parts += _turn(message)
    return "\n\n".join(parts) + "\n"


FORMS: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
    "json": (whole, "application/json"),
    "md": (markdown, "text/markdown"),
}


def _branch(messages: Sequence[Mapping[str, Any]], tip: int | None) -> list[Mapping[str, Any]]:
    known = {message["id"]: message for message in messages}
    path = []
    while tip is not None and tip in known:
        path.append(known[tip])
        tip = known[tip]["parent"]
    return path[::-1]


def _turn(message: Mapping[str, Any]) -> Iterator[str]:
    yield "## You" if message["role"] == "user" else f"## {message['model'] or 'Answer'}"
    if message["reasoning"]:
        yield "\n".join(f"> {line}".rstrip() for line in message["reasoning"].splitlines())
    if message["content"]:
        yield str(message["content"])
    for call in message["calls"]:
        yield f"Calls `{call['name']}`:\n\n```json\n{call['arguments']}\n```"
        if "result" in call:
            yield f"It gave back:\n\n```\n{call['result']}\n```"
    if message["status"] in {"stopped", "failed"}:
        yield f"*({message['error'] or 'stopped'})*"
