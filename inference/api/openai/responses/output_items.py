"""A conversation as the items of /v1/responses, and as the messages a model reads."""

import secrets
from collections.abc import Sequence
from typing import Any

import pydantic
from msgspec import structs
from pydantic import TypeAdapter

from inference.api.openai.schemas import ResponseBody
from inference.api.openai.schemas.input_items import (
    CallItem,
    Item,
    MessageItem,
    ReasoningItem,
    ResultItem,
    Words,
)
from inference.core.errors import InternalError, InvalidValue
from inference.core.requests import Message, ToolCall

_ITEMS: TypeAdapter[list[Any]] = TypeAdapter(list[Item])
_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def new_id(kind: str) -> str:
    return f"{_PREFIXES[kind]}_{secrets.token_hex(16)}"


def given(body: ResponseBody) -> list[dict[str, Any]]:
    """What was sent, as items with ids, to be kept."""
    items = [MessageItem(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    return [_kept(item) for item in items]


def _kept(item: Any) -> dict[str, Any]:
    told: dict[str, Any] = item.model_dump(exclude_none=True)
    if isinstance(item, MessageItem):
        told["content"] = _parts(item)
    elif isinstance(item, ReasoningItem):
        told["summary"] = []
    return {**told, "id": new_id(item.type), "status": "completed"}


def _parts(item: MessageItem) -> list[dict[str, Any]]:
    if isinstance(item.content, str):
        return [_part("output_text" if item.role == "assistant" else "input_text", item.content)]
    return [_part(part.type, part.text) for part in item.content]


def _part(kind: str, text: str) -> dict[str, Any]:
    told: dict[str, Any] = {"type": kind, "text": text}
    return told | {"annotations": []} if kind == "output_text" else told


def turns(instructions: str, before: Sequence[dict[str, Any]], body: ResponseBody) -> "Turns":
    """All that the model is to read: instructions, stored items, and what was sent."""
    made = Turns()
    if instructions:
        made.add(MessageItem(role="system", content=instructions), "instructions")
    for item in _read(before):
        made.add(item, "previous_response_id")
    if isinstance(body.input, str):
        made.add(MessageItem(role="user", content=body.input), "input")
        return made
    for place, item in enumerate(body.input):
        made.add(item, f"input.{place}.")
    return made


def _read(items: Sequence[dict[str, Any]]) -> list[Any]:
    try:
        return _ITEMS.validate_python([_plain(item) for item in items])
    except pydantic.ValidationError:
        raise InternalError("The stored response cannot be read any more; send its items again.") from None


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """Without what only answers have."""
    parts = item.get("content")
    if item.get("type") != "message" or not isinstance(parts, list):
        return {name: value for name, value in item.items() if name != "summary"}
    return {**item, "content": [{"type": part["type"], "text": part["text"]} for part in parts]}


class Turns:
    """Items joined to messages: an answer's thoughts, text and calls are one of them.

    `fields` tells where in the body each message comes from, for errors that name one
    (field_names.py): the item it is, or the field that is all of it.
    """

    def __init__(self) -> None:
        self._made: list[Message] = []
        self._called: set[str] = set()
        self._thoughts = ""
        self._thoughts_field = ""
        self.fields: dict[str, str] = {}

    @property
    def made(self) -> tuple[Message, ...]:
        return tuple(self._made)

    def add(self, item: Any, field: str) -> None:
        match item:
            case MessageItem(role="assistant"):
                self._append(self._assistant(content=_text(item.content)), field)
            case MessageItem():
                self._settle()
                role = "system" if item.role == "developer" else item.role
                self._append(Message(role=role, content=_text(item.content)), field)
            case ReasoningItem():
                self._thoughts += "".join(thought.text for thought in item.content or ())
                self._thoughts_field = field
            case CallItem():
                self._call(ToolCall(id=item.call_id, name=item.name, arguments=item.arguments), field)
            case ResultItem():
                self._result(item, field)

    def _append(self, message: Message, field: str) -> None:
        self._tell(f"messages.{len(self._made)}", field)
        self._made.append(message)

    def _tell(self, path: str, field: str) -> None:
        self.fields[f"{path}." if field.endswith(".") else path] = field

    def _assistant(self, **facts: Any) -> Message:
        thoughts, self._thoughts = self._thoughts, ""
        return Message(**({"role": "assistant", "content": "", "reasoning": thoughts} | facts))

    def _settle(self) -> None:
        """Thoughts that no answer followed were an answer: it was cut off while it thought."""
        if self._thoughts:
            self._append(self._assistant(), self._thoughts_field)

    def _call(self, call: ToolCall, field: str) -> None:
        self._called.add(call.id)
        if not self._made or self._made[-1].role != "assistant":
            self._append(self._assistant(), field)
        thoughts, self._thoughts = self._thoughts, ""
        last = self._made[-1]
        made = f"messages.{len(self._made) - 1}.tool_calls.{len(last.tool_calls)}"
        self._tell(made, field)
        self._tell(f"{made}.function", field)
        self._made[-1] = structs.replace(
            last, tool_calls=(*last.tool_calls, call), reasoning=last.reasoning + thoughts
        )

    def _result(self, item: ResultItem, field: str) -> None:
        if item.call_id not in self._called:
            raise InvalidValue(
                f"No earlier item is a call with the id {item.call_id[:64]!r}.",
                param=f"{field}call_id" if field.endswith(".") else field,
            )
        self._settle()
        if field.endswith("."):
            self._tell(f"messages.{len(self._made)}.content", f"{field}output")
            self._tell(f"messages.{len(self._made)}.tool_call_id", f"{field}call_id")
        self._append(Message(role="tool", content=_text(item.output), tool_call_id=item.call_id), field)


def _text(words: Words) -> str:
    return words if isinstance(words, str) else "".join(part.text for part in words)
