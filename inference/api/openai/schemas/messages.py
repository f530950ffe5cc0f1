"""The messages of a chat, as OpenAI's clients send them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from inference.api.anthropic.schemas import request_marks
from inference.api.http.strict_schema import Part, wrong
from inference.api.openai.schemas.calls import AnyCall, CalledFunction, CallId
from inference.api.openai.schemas.content_parts import Content, place_of_picture, read, text_of
from inference.core.requests import Message, Role, ToolCall

_ROLES: Mapping[str, Role] = {
    **{"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"},
    "developer": "system",
    "function": "tool",
}
_OF_ASSISTANTS = ("tool_calls", "function_call", "reasoning_content", "prefix")


def _by_role(schema: dict[str, Any]) -> None:
    """Describe what `_check_role_fields` checks."""
    given: dict[str, Any] = {"not": {"const": None}}
    nothing = {"type": "null"}
    own = dict.fromkeys((*_OF_ASSISTANTS, "tool_call_id"), nothing)
    answer = {"role": {"const": "assistant"}, "tool_call_id": nothing}
    result = dict.fromkeys(_OF_ASSISTANTS, nothing)
    others = {"enum": ["system", "developer", "user"]}
    schema["anyOf"] = [
        {"required": ["content"], "properties": own | {"role": others, "content": given}},
        {"properties": answer},
        {"properties": result | {"role": {"const": "tool"}}},
        {"required": ["name"], "properties": own | {"role": {"const": "function"}, "name": given}},
    ]


class ChatMessage(Part):
    """One message; which fields it may have depends on its role."""

    model_config = ConfigDict(json_schema_extra=_by_role)

    noted = {
        "annotations": "the model reads only the text.",
        "audio": "the model reads only the text.",
        "refusal": "the model reads only the text.",
    }
    aliases = {"reasoning": "reasoning_content"}

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="`system`, `developer` (read as `system`), `user`, `assistant`, `tool`, or `function`, "
        "the older form of `tool`."
    )
    content: Content | None = Field(
        None,
        description=(
            "A string, or a list of texts and pictures, joined without a separator. Optional in an "
            "assistant's message, and in the result of a tool without output."
        ),
    )
    name: Annotated[str, Field(max_length=256)] | None = Field(
        None,
        description=(
            "The name of the speaker, passed to the chat template. Required for a `function` message, which "
            "answers the first unanswered call of this function."
        ),
    )
    tool_calls: Annotated[list[AnyCall], Field(max_length=128)] | None = Field(
        None, description="An assistant's calls, sent back; the chat template formats them as the model does."
    )
    function_call: CalledFunction | None = Field(
        None, description="The older form of `tool_calls`: an assistant's single call, sent back."
    )
    tool_call_id: CallId | None = Field(
        None,
        description=(
            "The id of the call that a `tool` message answers, from an earlier assistant message. The "
            "default is the first unanswered call (of the function `name`, if given)."
        ),
    )
    reasoning_content: str | None = Field(
        None,
        description=(
            "Not OpenAI's. An assistant's reasoning, sent back; the chat template keeps or drops it."
        ),
    )

    prefix: bool | None = Field(
        None,
        description=(
            "DeepSeek's and Mistral's. For an assistant's last message: `true` continues it, as "
            "`continue_final_message` does; `false` begins a new answer."
        ),
    )

    @model_validator(mode="after")
    def _check_role_fields(self) -> Self:
        is_assistant, is_tool = self.role == "assistant", self.role == "tool"
        if self.content is None and not (is_assistant or self.is_result):
            raise wrong("no_content", "It is required", "content")
        if self.role == "function" and self.name is None:
            raise wrong("no_name", "It is required with this role", "name")
        for field in _OF_ASSISTANTS:
            if getattr(self, field) and not is_assistant:
                raise wrong("wrong_role", "Only an assistant's message has it", field)
        if self.tool_call_id is not None and not is_tool:
            raise wrong("wrong_role", "Only a tool's message has it", "tool_call_id")
        at = place_of_picture(self.content)
        if at is not None and not (self.role == "user" or self.is_result):
            raise wrong("wrong_role", "Only a user's or a tool's message has pictures", f"content.{at}.type")
        if self.tool_calls and self.function_call:
            raise wrong("two_forms", "It is not allowed together with tool_calls", "function_call")
        return self

    @property
    def is_result(self) -> bool:
        """Whether it is what a tool returned."""
        return self.role in ("tool", "function")

    @property
    def is_system(self) -> bool:
        return self.role in ("system", "developer")

    @property
    def request_marks(self) -> Iterator[str]:
        yield from request_marks.marks_of("content", self.content) if self.is_system else ()

    @property
    def is_only_marks(self) -> bool:
        """Whether it has nothing for the model to read: what changes with every request is left out."""
        return self.is_system and bool(text_of(self.content)) and not request_marks.system_text(self.content)

    @property
    def is_continuable(self) -> bool:
        """Whether it is an answer that could go on."""
        has_text = bool(text_of(self.content) or self.reasoning_content)
        return self.role == "assistant" and not (self.tool_calls or self.function_call) and has_text

    def calls(self, own_id: str) -> Iterator[ToolCall]:
        """The calls that it makes; those without ids have `own_id` and their number."""
        for number, call in enumerate(self.tool_calls or ()):
            yield call.call(f"{own_id}_{number}")
        if self.function_call:
            yield self.function_call.call(f"{own_id}_0")

    def message(self, calls: Sequence[ToolCall] = (), answers: str = "") -> Message:
        """The message, with the calls that it makes, or the id of the one that it answers."""
        content, pictures = read(self.content)
        return Message(
            role=_ROLES[self.role],
            content=request_marks.system_text(self.content) if self.is_system else content,
            pictures=pictures,
            name=self.name or "",
            tool_calls=tuple(calls),
            tool_call_id=answers,
            reasoning=self.reasoning_content or "",
        )


class Orphan(ValueError):
    """The message at this place answers no earlier call; `field` is what says which one it should be."""

    def __init__(self, place: int, message: ChatMessage, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.field = f"messages.{place}.{'name' if message.role == 'function' else 'tool_call_id'}"
        self.reason = reason


def conversation(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The messages, each result with the id of its call; raises Orphan."""
    made: list[ToolCall] = []
    answered: set[str] = set()
    turns = []
    for place, message in enumerate(messages):
        calls = list(message.calls(f"unnamed_call_{place}"))
        made += calls
        answers = _answered(message, made, answered, place) if message.is_result else ""
        answered.add(answers)
        if not message.is_only_marks:
            turns.append(message.message(calls, answers))
    return tuple(turns) or tuple(message.message() for message in messages)


def _answered(message: ChatMessage, made: Sequence[ToolCall], answered: set[str], place: int) -> str:
    """The id of the call that a tool's message answers."""
    if message.tool_call_id is not None:
        if message.tool_call_id in {call.id for call in made}:
            return message.tool_call_id
        reason = "No earlier assistant message has a call with this id; send that message, too"
        raise Orphan(place, message, reason)
    names = {message.name} if message.name else {call.name for call in made}
    found = next((call for call in made if call.id not in answered and call.name in names), None)
    if found:
        return found.id
    if message.role == "function":
        reason = "No earlier assistant message has an open call of this function; send that message, too"
        raise Orphan(place, message, reason)
    raise Orphan(place, message, "It is required: no earlier call is left without an answer")
