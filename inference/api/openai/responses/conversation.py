"""Items of /v1/responses as the messages that a model reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from inference.api.anthropic.schemas.request_marks import system_text, without_marks
from inference.api.openai.responses import input_items
from inference.api.openai.responses.summary import summary_message
from inference.api.openai.schemas import ResponseBody, input_parts
from inference.api.openai.schemas.custom_tools import custom_arguments
from inference.api.openai.schemas.input_items import (
    CallItem,
    CompactionItem,
    CustomCallItem,
    MessageItem,
    ReasoningItem,
    ResultItem,
)
from inference.api.openai.schemas.input_parts import text_of
from inference.api.openai.schemas.offered_tools import flat_name
from inference.core.errors import InvalidValue
from inference.core.requests import Message, ToolCall


def conversation(
    before: Sequence[dict[str, Any]], body: ResponseBody, found: Mapping[str, dict[str, Any]]
) -> "ConversationBuilder":
    """All that the model is to read: instructions, stored items, and what was sent.

    `before` are the items of the response or the conversation that goes on, `found` the stored items that
    references name.
    Raises NotFound or InvalidValue.
    """
    made = ConversationBuilder()
    if body.instructions:
        made.instruct(body.instructions)
    history = "conversation" if body.conversation else "previous_response_id"
    for item in input_items.read(before):
        made.add(item, history)
    is_text = isinstance(body.input, str)
    for place, item in input_items.resolved(input_items.items_of(body), found):
        made.add(item, "input" if is_text else f"input.{place}.")
    if not made.messages:
        raise InvalidValue("The input has nothing that the model can read.", param="input")
    return made


class ConversationBuilder:
    """Items joined to messages: an answer's reasoning, text and calls are one of them.

    `fields` says where in the body each message comes from, for errors that name one
    (field_names.py): the item it is, or the field that is all of it.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._called: set[str] = set()
        self._reasoning = ""
        self._reasoning_field = ""
        self._instructions = 0  # how many messages are the request's own
        self.fields: dict[str, str] = {}

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def instruct(self, instructions: str) -> None:
        """Begin with the request's own system message, which no compaction replaces."""
        self._append(Message(role="system", content=without_marks(instructions)), "instructions")
        self._instructions = 1

    def add(self, item: Any, field: str) -> None:
        match item:
            case MessageItem(role="assistant"):
                self._append(self._assistant(content=text_of(item.content)), field)
            case MessageItem():
                self._settle()
                self._take(item, field)
            case ReasoningItem():
                self._reasoning += input_items.reasoning_of(item, field)
                self._reasoning_field = field
            case CallItem() | CustomCallItem():
                self._call(self._made_call(item), field)
            case CompactionItem():
                self._settle()
                self._compact(input_items.compacted(item, field), field)
            case ResultItem():
                self._result(item, field)

    def _take(self, item: MessageItem, field: str) -> None:
        """A message of a user, or of the system without what changes with every request."""
        if item.role == "user":
            content, pictures = input_parts.read(item.content)
            self._append(Message(role=item.role, content=content, pictures=pictures), field)
        elif (text := system_text(item.content)) or not text_of(item.content):
            self._append(Message(role="system", content=text), field)

    def _compact(self, found: str | tuple[Message, ...] | None, field: str) -> None:
        """Go on from a summary beside the messages before it, or from those that replace them all."""
        if isinstance(found, str) and found:
            self._append(summary_message(found), field)
        if not isinstance(found, tuple):
            return
        systems = [one for one in self._messages[self._instructions :] if one.role == "system"]
        kept = [*self._messages[: self._instructions], *systems]
        self._messages = []
        self.fields = {"messages.0": "instructions"} if self._instructions else {}
        for message in kept[: self._instructions]:
            self._messages.append(message)
        for message in (*systems, *(one for one in found if not (systems and one.role == "system"))):
            self._called |= {call.id for call in message.tool_calls}
            self._append(message, field)

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

    def _made_call(self, item: CallItem | CustomCallItem) -> ToolCall:
        """The call under the name by which the model knows the tool."""
        name = flat_name(item.name, item.namespace)
        arguments = item.arguments if isinstance(item, CallItem) else custom_arguments(item.input)
        return ToolCall(id=item.call_id, name=name, arguments=arguments)

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
        content, pictures = input_parts.read(item.output)
        made = Message(role="tool", content=content, pictures=pictures, tool_call_id=item.call_id)
        self._append(made, field)
