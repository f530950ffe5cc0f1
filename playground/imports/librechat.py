"""Chats of LibreChat's JSON export: a list of messages, or a tree of them with `children`."""

from collections.abc import Iterator, Mapping
from typing import Any

from playground.dates import as_text
from playground.imports.converted_chat import ConvertedChat
from playground.imports.imported_chat import ImportedChat, call


def matches(chat: Mapping[str, Any]) -> bool:
    messages = _top(chat)
    first = messages[0] if messages else {}
    is_ours = isinstance(first, dict) and ("messageId" in first or "isCreatedByUser" in first)
    return is_ours or (messages == [] and "conversationId" in chat)


def convert(chat: Mapping[str, Any]) -> ConvertedChat:
    """The chat with all branches that the export has."""
    made = ImportedChat("librechat", chat.get("conversationId"), chat.get("title"))
    options = chat["options"] if isinstance(chat.get("options"), dict) else {}
    made.created_at, made.changed_at = chat.get("createdAt"), chat.get("updatedAt") or chat.get("exportAt")
    prompt = options.get("promptPrefix") or options.get("system") or chat.get("promptPrefix")
    made.system = prompt if isinstance(prompt, str) else ""
    model = options.get("model") or chat.get("model")
    latest: tuple[str, int] | None = None
    for message in _in_order(_top(chat)):
        number = _add(made, message, model if isinstance(model, str) else "")
        at = as_text(message.get("createdAt"))
        if number is not None and (latest is None or at >= latest[0]):
            latest = (at, number)
    made.tip = latest[1] if latest else None
    return made.converted()


def _top(chat: Mapping[str, Any]) -> list[Any] | None:
    for name in ("messages", "messagesTree"):
        messages = chat.get(name)
        if isinstance(messages, dict):  # the root of a tree
            messages = messages.get("children") or [messages]
        if isinstance(messages, list):
            return messages
    return None


def _in_order(top: list[Any] | None) -> Iterator[Mapping[str, Any]]:
    """All messages with the ids of their parents, parents first; without recursion."""
    found: dict[str, dict[str, Any]] = {}
    before: str | None = None
    open_messages: list[tuple[Any, str | None]] = [(message, None) for message in reversed(top or [])]
    is_nested = any(isinstance(message, dict) and message.get("children") for message in top or [])
    while open_messages:
        message, parent = open_messages.pop()
        if not isinstance(message, dict):
            continue
        key = str(message.get("messageId") or f"message {len(found)}")
        if "parentMessageId" not in message:  # a plain list: each answers the one before it
            parent = parent if is_nested else before
            message = {**message, "parentMessageId": parent}
        found[key] = {**message, "messageId": key}
        before = key
        children = message.get("children")
        open_messages += [(child, key) for child in reversed(children if isinstance(children, list) else [])]
    yield from _parents_first(found)


def _parents_first(found: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    done: set[str] = set()
    for key in found:
        path: list[str] = []
        while key in found and key not in done and key not in path:
            path.append(key)
            key = str(found[key].get("parentMessageId"))
        for one in reversed(path):
            done.add(one)
            yield found[one]


def _add(made: ImportedChat, message: Mapping[str, Any], model: str) -> int | None:
    key, parent = message["messageId"], str(message.get("parentMessageId"))
    sender = str(message.get("sender") or message.get("role") or "")
    is_question = message.get("isCreatedByUser", sender.lower() == "user")
    parts = _parts(made, message)
    if not any(parts.values()):
        made.stands_for(key, parent)
        return None
    at = as_text(message.get("createdAt"))
    if is_question:
        return made.add(key, parent, "user", content=parts["content"], at=at)
    has_failed = bool(message.get("error"))
    if has_failed:
        parts |= {"content": "", "error": parts["content"] or "The answer failed."}
    status = "failed" if has_failed else "stopped" if message.get("unfinished") else "done"
    named = message.get("model") or model or sender
    return made.add(key, parent, "assistant", **parts, model=str(named)[:500], status=status, at=at)


def _parts(made: ImportedChat, message: Mapping[str, Any]) -> dict[str, Any]:
    """Text, reasoning and calls, from `content` where a message has it, else from `text`."""
    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[dict[str, Any]] = []
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        kind = part.get("type") if isinstance(part, dict) else None
        value = part.get(kind) if kind else part
        if kind == "tool_call" and isinstance(value, dict):
            output = value.get("output")
            result = output if isinstance(output, str) else None
            calls.append(call(value.get("id"), value.get("name"), value.get("args"), result))
        elif kind in {"image_file", "image_url"}:
            made.left_out["picture"] += 1
        else:
            (reasoning if kind == "think" else texts).append(_text(value))
    text = "\n\n".join(filter(None, texts)) or _text(message.get("text"))
    files = message.get("files")
    made.left_out["file"] += len(files) if isinstance(files, list) else 0
    return {"content": text, "reasoning": "\n\n".join(filter(None, reasoning)), "calls": calls}


def _text(value: Any) -> str:
    value = value.get("value", value.get("text")) if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""
