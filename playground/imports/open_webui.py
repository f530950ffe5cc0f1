"""Chats of Open WebUI's exports: of one chat, of all chats of a user, and of all chats of a site.

`history.messages` is a tree by id, and `history.currentId` its tip. Reasoning and tool calls are `<details>`
blocks within the content.
"""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from playground.dates import as_text
from playground.imports.converted_chat import ConvertedChat
from playground.imports.imported_chat import ARCHIVED, ImportedChat, call

_DETAILS = re.compile(
    r'<details type="(reasoning|tool_calls|code_interpreter)"([^>]*)>(.*?)</details>\n?', re.S
)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_SUMMARY = re.compile(r"<summary>.*?</summary>\n?", re.S)
_FENCE = re.compile(r"^```\w*\n|\n?```$")
_QUOTED = re.compile(r"^> ?", re.M)


def matches(chat: Mapping[str, Any]) -> bool:
    return _tree(chat) is not None


def convert(chat: Mapping[str, Any]) -> ConvertedChat:
    """The chat with all branches, and the text of attached files where the export has it."""
    content = _content(chat)
    made = ImportedChat(
        "open-webui", chat.get("id") or content.get("id"), chat.get("title") or content.get("title")
    )
    made.created_at = chat.get("created_at") or content.get("timestamp")
    made.changed_at = chat.get("updated_at") or made.created_at
    made.is_pinned = bool(chat.get("pinned"))
    made.folder = ARCHIVED if chat.get("archived") else ""
    made.system = _system(content)
    tree = _tree(chat) or {}
    for key in _in_order(tree):
        _add(made, key, tree[key])
    made.tip = made.number(str(content["history"].get("currentId")))
    return made.converted()


def _content(chat: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = chat.get("chat")
    return inner if isinstance(inner, dict) else chat


def _tree(chat: Mapping[str, Any]) -> dict[str, Any] | None:
    history = _content(chat).get("history")
    messages = history.get("messages") if isinstance(history, dict) else None
    if not isinstance(messages, dict):
        return None
    return {str(key): message for key, message in messages.items() if isinstance(message, dict)}


def _system(content: Mapping[str, Any]) -> str:
    params = content.get("params")
    given = content.get("system") or (params.get("system") if isinstance(params, dict) else "")
    return given if isinstance(given, str) else ""


def _in_order(tree: Mapping[str, Any]) -> list[str]:
    """The keys, parents before their children; what hangs on a message that is not there is a root."""
    ordered: dict[str, None] = {}
    for key in tree:
        path: list[str] = []
        while key in tree and key not in ordered and key not in path:
            path.append(key)
            key = str(tree[key].get("parentId"))
        ordered.update(dict.fromkeys(reversed(path)))
    return list(ordered)


def _add(made: ImportedChat, key: str, message: Mapping[str, Any]) -> None:
    parent = str(message.get("parentId"))
    text, role = message.get("content"), message.get("role")
    text = text if isinstance(text, str) else ""
    if role == "system":
        made.system = made.system or text
    if role not in {"user", "assistant"}:
        made.stands_for(key, parent)
        return
    if role == "user":
        files = _files(made, message)
        made.add(key, parent, "user", content=text, at=as_text(message.get("timestamp")), **files)
        return
    error = message.get("error")
    is_stopped = message.get("done") is False
    made.add(
        key,
        parent,
        "assistant",
        **_parts(text),
        model=str(message.get("model") or message.get("modelName") or "")[:500],
        status="failed" if error else "stopped" if is_stopped else "done",
        error=_error(error),
        at=as_text(message.get("timestamp")),
    )


def _error(error: Any) -> str:
    text = error.get("content") if isinstance(error, dict) else error
    return text if isinstance(text, str) else "The answer failed." if error else ""


def _parts(text: str) -> dict[str, Any]:
    """An answer's text without its `<details>` blocks, which become reasoning and calls."""
    reasoning: list[str] = []
    calls: list[dict[str, Any]] = []
    for kind, attributes, body in _DETAILS.findall(text):
        facts = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
        inner = html.unescape(_SUMMARY.sub("", body, count=1)).strip()
        if kind == "tool_calls":  # newer versions write the result below the summary
            result = _plain(facts.get("result") or inner)
            calls.append(call(facts.get("id"), facts.get("name"), facts.get("arguments"), result))
        elif kind == "code_interpreter":
            code = {"code": _FENCE.sub("", inner).strip()}
            calls.append(call(f"code_{len(calls)}", kind, code, _plain(facts.get("output", ""))))
        else:
            reasoning.append(_QUOTED.sub("", inner).strip())
    content = _DETAILS.sub("", text).strip()
    return {"content": content, "reasoning": "\n\n".join(reasoning), "calls": calls}


def _plain(result: str) -> str:
    """A result as the tool wrote it: a text is in the file as JSON, between quotes."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        return result
    return value if isinstance(value, str) else result


def _files(made: ImportedChat, message: Mapping[str, Any]) -> dict[str, Any]:
    """The files of a question: texts and pictures become attachments; what the file only names is counted."""
    attachments: list[dict[str, Any]] = []
    files = message.get("files")
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("type") == "image":
            attachments += made.picture(file.get("url"), file.get("name"))
        elif (text := _text_of(file)) is not None:
            attachments.append({"name": str(file.get("name") or "file")[:255], "text": text})
        else:
            made.left_out["file"] += 1
    return {"attachments": attachments} if attachments else {}


def _text_of(file: Any) -> str | None:
    for name in ("file", "data", "content"):
        if isinstance(file, str):
            break
        file = file.get(name, file) if isinstance(file, dict) else None
    return file if isinstance(file, str) and file.strip() else None
