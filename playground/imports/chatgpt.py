"""Chats of ChatGPT's data export, conversations.json.

A chat is a tree: `mapping` has a node for each message, each names its parent, and `current_node` is the tip.
An answer with tools is a chain of nodes: thoughts, code for a tool, what the tool returned, and the text.
Nodes without a message, system messages, and those that ChatGPT hides are left out; what follows them
follows their parents.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from playground.dates import as_text
from playground.imports import chatgpt_marks
from playground.imports.converted_chat import ConvertedChat
from playground.imports.imported_chat import ARCHIVED, ImportedChat, call

_UNFINISHED = {"in_progress", "finished_partial_completion"}
_FOR_EVERYBODY = {None, "", "all"}  # recipients; any other is a tool
_HIDDEN = {"user_editable_context", "model_editable_context", "reasoning_recap", "system_error"}
_NOT_IN_THE_FILE = {
    "image_asset_pointer": "picture",
    "audio_asset_pointer": "recording",
    "real_time_user_audio_video_asset_pointer": "recording",
    "video_container_asset_pointer": "video",
}


def matches(chat: Mapping[str, Any]) -> bool:
    return isinstance(chat.get("mapping"), dict)


def convert(chat: Mapping[str, Any]) -> ConvertedChat:
    """The chat with all branches."""
    made = ImportedChat("chatgpt", chat.get("conversation_id") or chat.get("id"), chat.get("title"))
    made.created_at, made.changed_at = chat.get("create_time"), chat.get("update_time")
    made.is_pinned = bool(chat.get("is_starred") or chat.get("pinned_time"))
    made.folder = ARCHIVED if chat.get("is_archived") else ""
    nodes = {str(key): node for key, node in chat["mapping"].items() if isinstance(node, dict)}
    _Conversion(made, nodes, chat.get("default_model_slug")).run()
    made.tip = made.number(str(chat.get("current_node")))
    return made.converted()


class _Conversion:
    """One chat's nodes, from the roots down; without recursion, as chats are thousands of nodes deep."""

    def __init__(self, made: ImportedChat, nodes: dict[str, Any], model: Any) -> None:
        self._made = made
        self._nodes = nodes
        self._children = _children_of(nodes)
        self._model = model if isinstance(model, str) else ""
        self._thoughts: dict[str, str] = {}  # by node: the thoughts before it that no answer has yet

    def run(self) -> None:
        for key, parent in _in_order(self._children):
            self._add(key, parent, self._nodes[key].get("message"))

    def _add(self, key: str, parent: str | None, message: Any) -> None:
        thoughts = self._thoughts.get(parent, "") if parent else ""
        if not isinstance(message, dict) or _is_hidden(message):
            self._pass_on(key, parent, thoughts)
            return
        role, text = _role(message), self._text(message)
        if role == "tool":
            self._add_result(key, parent, message, text, thoughts)
        elif role == "user":
            self._add_question(key, parent, message, text)
        elif _content_type(message) == "thoughts":
            self._pass_on(key, parent, "\n\n".join(filter(None, [thoughts, text])))
        else:
            self._add_answer(key, parent, message, text, thoughts)

    def _pass_on(self, key: str, parent: str | None, thoughts: str) -> None:
        self._made.stands_for(key, parent)
        if not thoughts:
            return
        if self._children[key]:
            self._thoughts[key] = thoughts
        else:  # the answer was stopped while it thought
            self._made.add(key, parent, "assistant", reasoning=thoughts, model=self._model, status="stopped")

    def _add_question(self, key: str, parent: str | None, message: dict[str, Any], text: str) -> None:
        files = [one for one in _metadata(message).get("attachments") or [] if isinstance(one, dict)]
        pictures = text.count("[picture")
        for file in files[pictures:]:
            self._made.left_out["file"] += 1
            text = f"[file: {file.get('name', 'without a name')}]\n\n{text}"
        if text.strip():
            self._made.add(key, parent, "user", content=text.strip(), at=_at(message))
        else:
            self._made.stands_for(key, parent)

    def _add_answer(
        self, key: str, parent: str | None, message: dict[str, Any], text: str, thoughts: str
    ) -> None:
        recipient = message.get("recipient")
        calls = [] if recipient in _FOR_EVERYBODY else [call(key, recipient, text)]
        if not text.strip() and not thoughts and recipient in _FOR_EVERYBODY:
            self._made.stands_for(key, parent)
            return
        self._made.add(
            key,
            parent,
            "assistant",
            content="" if calls else text.strip(),
            reasoning=thoughts,
            calls=calls,
            model=str(_metadata(message).get("model_slug") or self._model)[:500],
            status="stopped" if message.get("status") in _UNFINISHED else "done",
            at=_at(message),
        )

    def _add_result(
        self, key: str, parent: str | None, message: dict[str, Any], text: str, thoughts: str
    ) -> None:
        """What a tool returned goes to the call before it; without one it is an answer of its own."""
        number = self._made.number(parent)
        before = self._made.message(number) if number is not None else {}
        if before.get("calls"):
            last = before["calls"][-1]
            last["result"] = "\n\n".join(filter(None, [last.get("result", ""), text]))
            self._pass_on(key, parent, thoughts)
        elif text.strip():
            self._add_answer(key, parent, {**message, "recipient": "all"}, text, thoughts)
        else:
            self._pass_on(key, parent, thoughts)

    def _text(self, message: dict[str, Any]) -> str:
        return "\n\n".join(filter(None, map(chatgpt_marks.replaced, self._texts(message.get("content")))))

    def _texts(self, content: Any) -> Iterator[str]:
        if not isinstance(content, dict):
            return
        for thought in _listed(content.get("thoughts")):
            if isinstance(thought, dict):
                yield str(thought.get("content") or thought.get("summary") or "")
        for name in ("text", "result", "content"):
            if isinstance(content.get(name), str):
                yield content[name]
        for part in _listed(content.get("parts")):
            yield part if isinstance(part, str) else self._part(part)

    def _part(self, part: Any) -> str:
        """The text of a part; a picture or recording is not in the file, and is named in its place."""
        if not isinstance(part, dict):
            return ""
        kind = str(part.get("content_type") or "")
        if isinstance(part.get("text"), str):  # of text, and of what was spoken
            return str(part["text"])
        left_out = _NOT_IN_THE_FILE.get(kind, "part")
        self._made.left_out[left_out] += 1
        return f"[{left_out}]"


def _children_of(nodes: Mapping[str, Any]) -> dict[str | None, list[str]]:
    """The keys below each key, and below None those of the roots; alternatives in their order."""
    parents = {key: node.get("parent") for key, node in nodes.items()}
    children: dict[str | None, list[str]] = {None: [], **{key: [] for key in nodes}}
    for key, node in nodes.items():
        listed = [child for child in _listed(node.get("children")) if isinstance(child, str)]
        children[key] = [child for child in dict.fromkeys(listed) if parents.get(child) == key]
    for key, parent in parents.items():
        siblings = children[parent if isinstance(parent, str) and parent in nodes else None]
        if key not in siblings:
            siblings.append(key)
    return children


def _in_order(children: Mapping[str | None, list[str]]) -> Iterator[tuple[str, str | None]]:
    """Each node once with its parent, parents before their children."""
    open_nodes: list[tuple[str, str | None]] = [(key, None) for key in reversed(children[None])]
    while open_nodes:
        key, parent = open_nodes.pop()
        yield key, parent
        open_nodes += [(child, key) for child in reversed(children[key])]


def _is_hidden(message: Mapping[str, Any]) -> bool:
    is_marked = bool(_metadata(message).get("is_visually_hidden_from_conversation"))
    return is_marked or _role(message) == "system" or _content_type(message) in _HIDDEN


def _role(message: Mapping[str, Any]) -> str:
    author = message.get("author")
    return str(author.get("role")) if isinstance(author, dict) else "system"


def _content_type(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return str(content.get("content_type")) if isinstance(content, dict) else ""


def _metadata(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _at(message: Mapping[str, Any]) -> Any:
    return as_text(message.get("create_time"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
