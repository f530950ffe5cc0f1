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
    TextOrParts,
)
from inference.core.errors import InternalError, InvalidValue
from inference.core.requests import Message, ToolCall

_ITEMS: TypeAdapter[list[Any]] = TypeAdapter(list[Item])
_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def new_id(kind: str) -> str:
    return f"{_PREFIXES[kind]}_{secrets.token_hex(16)}"


def input_items(body: ResponseBody) -> list[dict[str, Any]]:
    """What was sent, as items with ids, to be kept."""
    items = [MessageItem(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    return [_kept(item) for item in items]


def _kept(item: Any) -> dict[str, Any]:
    fields: dict[str, Any] = item.model_dump(exclude_none=True)
    if isinstance(item, MessageItem):
        fields["content"] = _parts(item)
    elif isinstance(item, ReasoningItem):
        fields["summary"] = []
    return {**fields, "id": new_id(item.type), "status": "completed"}


def _parts(item: MessageItem) -> list[dict[str, Any]]:
    if isinstance(item.content, str):
        return [_part("output_text" if item.role == "assistant" else "input_text", item.content)]
    return [_part(part.type, part.text) for part in item.content]


def _part(kind: str, text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": kind, "text": text}
    return fields | {"annotations": []} if kind == "output_text" else fields


def conversation(instructions: str, before: Sequence[dict[str, Any]], body: ResponseBody) -> "Conversation":
    """All that the model is to read: instructions, stored items, and what was sent."""
    made = Conversation()
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


class Conversation:
    """Items joined to messages: an answer's reasoning, text and calls are one of them.

    `fields` says where in the body each message comes from, for errors that name one
    (field_names.py): the item it is, or the field that is all of it.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._called: set[str] = set()
        self._reasoning = ""
        self._reasoning_field = ""
        self.fields: dict[str, str] = {}

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def add(self, item: Any, field: str) -> None:
        match item:
            case MessageItem(role="assistant"):
                self._append(self._assistant(content=_text(item.content)), field)
            case MessageItem():
                self._settle()
                role = "system" if item.role == "developer" else item.role
                self._append(Message(role=role, content=_text(item.content)), field)
            case ReasoningItem():
                self._reasoning += "".join(thought.text for thought in item.content or ())
                self._reasoning_field = field
            case CallItem():
                self._call(ToolCall(id=item.call_id, name=item.name, arguments=item.arguments), field)
            case ResultItem():
                self._result(item, field)

    def _append(self, message: Message, field: str) -> None:
        self._place(f"messages.{len(self._messages)}", field)
        self._messages.append(message)

    def _place(self, path: str, field: str) -> None:
        self.fields[f"{path}." if field.endswith(".") else path] = field

    def _assistant(self, **facts: Any) -> Message:
        reasoning, self._reasoning = self._reasoning, ""
        return Message(**({"role": "assistant", "content": "", "reasoning": reasoning} | facts))

    def _settle(self) -> None:
        """Thoughts that no answer followed were an answer: it was cut off while it thought."""
        if self._reasoning:
            self._append(self._assistant(), self._reasoning_field)

    def _call(self, call: ToolCall, field: str) -> None:
        self._called.add(call.id)
        if not self._messages or self._messages[-1].role != "assistant":
            self._append(self._assistant(), field)
        reasoning, self._reasoning = self._reasoning, ""
        last = self._messages[-1]
        made = f"messages.{len(self._messages) - 1}.tool_calls.{len(last.tool_calls)}"
        self._place(made, field)
        self._place(f"{made}.function", field)
        self._messages[-1] = structs.replace(
            last, tool_calls=(*last.tool_calls, call), reasoning=last.reasoning + reasoning
        )

    def _result(self, item: ResultItem, field: str) -> None:
        if item.call_id not in self._called:
            raise InvalidValue(
                f"No earlier item is a call with the id {item.call_id[:64]!r}.",
                param=f"{field}call_id" if field.endswith(".") else field,
            )
        self._settle()
        if field.endswith("."):
            self._place(f"messages.{len(self._messages)}.content", f"{field}output")
            self._place(f"messages.{len(self._messages)}.tool_call_id", f"{field}call_id")
        self._append(Message(role="tool", content=_text(item.output), tool_call_id=item.call_id), field)


def _text(content: TextOrParts) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)
