"""The messages of a chat, as OpenAI's clients send them."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, Tag, model_validator

from inference.openai.schemas.strict import Refused, Strict, either, unless, wrong
from inference.requests import Message, ToolCall

_TEXT_ONLY = "these models read text only."
FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
CallId = Annotated[str, Field(min_length=1, max_length=256)]


class TextPart(Strict):
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


Parts = Annotated[list[TextPart], Field(min_length=1)]
Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[Parts, Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of text parts"),
]


class CalledFunction(Strict):
    """Which function the assistant called, and with what."""

    name: FunctionName = Field(description="The function's name.")
    arguments: str = Field(description="The arguments as the model wrote them: a JSON text.")


class CallBody(Strict):
    """One call of an earlier answer, sent back."""

    refused = {
        "custom": Refused("tools are functions."),
        # Clients that gather a stream's deltas send it back.
        "index": Refused("the order of the calls is their order here.", tuple(range(128))),
    }

    id: CallId = Field(description="The call's id; the `tool` message that answers it repeats it.")
    type: Annotated[Literal["function"], unless("custom", why="tools are functions.")] = Field(
        description="`function`."
    )
    function: CalledFunction = Field(description="What was called.")

    def call(self) -> ToolCall:
        return ToolCall(id=self.id, name=self.function.name, arguments=self.function.arguments)


def _by_role(schema: dict[str, Any]) -> None:
    """Describe what `_fields_fit_the_role` checks."""
    given, nothing = {"not": {"type": "null"}}, {"type": "null"}
    own = dict.fromkeys(("tool_calls", "reasoning_content", "tool_call_id"), nothing)
    answer = {"role": {"const": "assistant"}, "tool_call_id": nothing}
    result = own | {"role": {"const": "tool"}, "tool_call_id": given, "content": given}
    others = {"enum": ["system", "developer", "user"]}
    calls = {"type": "array", "minItems": 1}
    schema["anyOf"] = [
        {"required": ["content"], "properties": own | {"role": others, "content": given}},
        {"required": ["content"], "properties": answer | {"content": given}},
        {"required": ["tool_calls"], "properties": answer | {"tool_calls": calls}},
        {"required": ["content", "tool_call_id"], "properties": result},
    ]


class ChatMessage(Strict):
    """One message; which fields it may have depends on its role."""

    model_config = ConfigDict(json_schema_extra=_by_role)

    refused = {
        "refusal": Refused("this server makes no refusals of its own."),
        "annotations": Refused("this server makes no annotations.", ([],)),
        "audio": Refused(_TEXT_ONLY),
        "function_call": Refused("it is the older form of `tool_calls`."),
    }

    role: Annotated[
        Literal["system", "developer", "user", "assistant", "tool"],
        unless("function", why="it is the older form of `tool`."),
    ] = Field(description="`system`, `developer` (read as `system`), `user`, `assistant` or `tool`.")
    content: Content | None = Field(
        None,
        description="A string, or a list of text parts, which are joined without a separator. "
        "An assistant's may be missing beside `tool_calls`.",
    )
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Who speaks; given to the chat template, which decides what to do with it."
    )
    tool_calls: Annotated[list[CallBody], Field(max_length=128)] | None = Field(
        None, description="An assistant's calls, sent back; the template writes them as the model would."
    )
    tool_call_id: CallId | None = Field(
        None, description="Which call a `tool` message answers: one of an earlier assistant message."
    )
    reasoning_content: str | None = Field(
        None,
        description=(
            "Not OpenAI's. An assistant's reasoning, sent back; the template keeps or drops it, as "
            "its model was trained."
        ),
    )

    @model_validator(mode="after")
    def _fields_fit_the_role(self) -> Self:
        is_assistant, is_tool = self.role == "assistant", self.role == "tool"
        if self.content is None and not (is_assistant and self.tool_calls):
            raise wrong("no_content", "It is required", "content")
        for field in ("tool_calls", "reasoning_content"):
            if getattr(self, field) and not is_assistant:
                raise wrong("wrong_role", "Only an assistant's message has it", field)
        if is_tool != (self.tool_call_id is not None):
            says = "It is required in a tool's message" if is_tool else "Only a tool's message has it"
            raise wrong("wrong_role", says, "tool_call_id")
        return self

    def message(self) -> Message:
        return Message(
            role="system" if self.role == "developer" else self.role,
            content=text_of(self.content),
            name=self.name or "",
            tool_calls=tuple(call.call() for call in self.tool_calls or ()),
            tool_call_id=self.tool_call_id or "",
            reasoning=self.reasoning_content or "",
        )


def text_of(content: str | list[TextPart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)


def orphan(messages: list[ChatMessage]) -> int | None:
    """The place of the first tool message that answers no earlier call, if there is one."""
    made: set[str] = set()
    for place, message in enumerate(messages):
        made |= {call.id for call in message.tool_calls or ()}
        if message.tool_call_id is not None and message.tool_call_id not in made:
            return place
    return None
