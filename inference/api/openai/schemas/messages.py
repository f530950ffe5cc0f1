"""The messages of a chat, as OpenAI's clients send them."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import Part, Refused, either, unless, wrong
from inference.core.requests import Message, ToolCall

_TEXT_ONLY = "these models read text only."
FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
CallId = Annotated[str, Field(min_length=1, max_length=256)]


class TextPart(Part):
    """A piece of a message's content."""

    refused = {
        "image_url": Refused(_TEXT_ONLY),
        "input_audio": Refused(_TEXT_ONLY),
        "file": Refused(_TEXT_ONLY),
        "refusal": Refused("this server makes no refusals of its own."),
        "prompt_cache_breakpoint": Refused("prefixes are cached wherever they end."),
    }

    type: Annotated[
        Literal["text"], unless("image_url", "input_audio", "file", "refusal", why=_TEXT_ONLY)
    ] = Field(description="`text`.")
    text: str = Field(description="The text.")


Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[TextPart], Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of text parts"),
]


def _as_text(value: Any) -> Any:
    """Arguments as a JSON text: nothing at all is an empty object, and an object is written as one."""
    if value is None:
        return "{}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        raise PydanticCustomError(
            "no_arguments", "It must be a JSON text, as the answer had it, or an object"
        )
    return value


# What a client makes of arguments is understood where they are rendered (adapters/arguments.py).
Arguments = Annotated[
    str,
    BeforeValidator(_as_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}),
    Field(
        description="The arguments as the model wrote them, a JSON text, or an object; nothing is an empty "
        "object. A text that was cut is closed, and one that is no object is shown to the model as it is."
    ),
]


class CalledFunction(Part):
    """Which function the assistant called, and with what."""

    name: FunctionName = Field(description="The function's name.")
    arguments: Arguments = "{}"


class CallBody(Part):
    """One call of an earlier answer, sent back."""

    refused = {
        "custom": Refused("tools are functions."),
        # Clients that gather a stream's deltas send it back.
        "index": Refused("the order of the calls is their order here.", tuple(range(128))),
    }

    id: CallId | None = Field(
        None,
        description="The call's id, which its result repeats; a call without one is given one.",
    )
    type: Annotated[Literal["function"], unless("custom", why="tools are functions.")] = Field(
        "function", description="`function`; may be left out."
    )
    function: CalledFunction = Field(description="What was called.")

    def call(self, own_id: str) -> ToolCall:
        """The call, with an id of our own where it has none."""
        return ToolCall(id=self.id or own_id, name=self.function.name, arguments=self.function.arguments)


def _by_role(schema: dict[str, Any]) -> None:
    """Describe what `_fields_fit_the_role` checks."""
    given: dict[str, Any] = {"not": {"const": None}}
    nothing = {"type": "null"}
    own = dict.fromkeys(("tool_calls", "reasoning_content", "tool_call_id", "prefix"), nothing)
    answer = {"role": {"const": "assistant"}, "tool_call_id": nothing}
    result = {name: one for name, one in own.items() if name != "tool_call_id"} | {"role": {"const": "tool"}}
    others = {"enum": ["system", "developer", "user"]}
    schema["anyOf"] = [
        {"required": ["content"], "properties": own | {"role": others, "content": given}},
        {"properties": answer},
        {"properties": result},
    ]


class ChatMessage(Part):
    """One message; which fields it may have depends on its role."""

    model_config = ConfigDict(json_schema_extra=_by_role)

    refused = {"function_call": Refused("it is the older form of `tool_calls`.")}
    noted = {
        "annotations": "the model reads the text alone.",
        "audio": "the model reads the text alone.",
        "refusal": "the model reads the text alone.",
    }
    aliases = {"reasoning": "reasoning_content"}

    role: Annotated[
        Literal["system", "developer", "user", "assistant", "tool"],
        unless("function", why="it is the older form of `tool`."),
    ] = Field(description="`system`, `developer` (read as `system`), `user`, `assistant` or `tool`.")
    content: Content | None = Field(
        None,
        description="A string, or a list of text parts, which are joined without a separator. "
        "It may be missing in an assistant's message, and in the result of a tool without output.",
    )
    name: Annotated[str, Field(max_length=256)] | None = Field(
        None, description="Name of the speaker; given to the chat template, which decides what to do with it."
    )
    tool_calls: Annotated[list[CallBody], Field(max_length=128)] | None = Field(
        None, description="An assistant's calls, sent back; the template writes them as the model would."
    )
    tool_call_id: CallId | None = Field(
        None,
        description="Which call a `tool` message answers: one of an earlier assistant message. Without it, "
        "the first that has no answer yet, of the function `name` where that is given.",
    )
    reasoning_content: str | None = Field(
        None,
        description=(
            "Not OpenAI's. An assistant's reasoning, sent back; the template keeps or drops it, as "
            "its model was trained."
        ),
    )

    prefix: bool | None = Field(
        None,
        description="DeepSeek's and Mistral's. Of the last message, an assistant's: `true` continues it, as "
        "`continue_final_message` does.",
    )

    @model_validator(mode="after")
    def _fields_fit_the_role(self) -> Self:
        is_assistant, is_tool = self.role == "assistant", self.role == "tool"
        if self.content is None and not (is_tool or is_assistant):
            raise wrong("no_content", "It is required", "content")
        for field in ("tool_calls", "reasoning_content", "prefix"):
            if getattr(self, field) and not is_assistant:
                raise wrong("wrong_role", "Only an assistant's message has it", field)
        if self.tool_call_id is not None and not is_tool:
            raise wrong("wrong_role", "Only a tool's message has it", "tool_call_id")
        return self

    @property
    def is_continuable(self) -> bool:
        """Whether it is an answer that could go on."""
        has_text = bool(text_of(self.content) or self.reasoning_content)
        return self.role == "assistant" and not self.tool_calls and has_text

    def message(self, calls: Sequence[ToolCall] = (), answers: str = "") -> Message:
        """The message, with the calls that it makes, or the id of the one that it answers."""
        return Message(
            role="system" if self.role == "developer" else self.role,
            content=text_of(self.content),
            name=self.name or "",
            tool_calls=tuple(calls),
            tool_call_id=answers,
            reasoning=self.reasoning_content or "",
        )


def text_of(content: str | list[TextPart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)


class Orphan(ValueError):
    """A tool's message at this place answers no earlier call."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def conversation(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The messages, each result with the id of its call; raises Orphan."""
    made: list[ToolCall] = []
    answered: set[str] = set()
    turns = []
    for place, message in enumerate(messages):
        given = enumerate(message.tool_calls or ())
        calls = [call.call(f"unnamed_call_{place}_{number}") for number, call in given]
        made += calls
        answers = _answered(message, made, answered, place) if message.role == "tool" else ""
        answered.add(answers)
        turns.append(message.message(calls, answers))
    return tuple(turns)


def _answered(message: ChatMessage, made: Sequence[ToolCall], answered: set[str], place: int) -> str:
    """The id of the call that a tool's message answers."""
    if message.tool_call_id is not None:
        if message.tool_call_id in {call.id for call in made}:
            return message.tool_call_id
        raise Orphan(place, "No earlier assistant message has a call with this id; send that message, too")
    names = {message.name} if message.name else {call.name for call in made}
    found = next((call for call in made if call.id not in answered and call.name in names), None)
    if found is None:
        raise Orphan(place, "It is required: no earlier call is left without an answer")
    return found.id
