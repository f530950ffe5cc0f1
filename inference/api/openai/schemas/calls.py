"""The calls of earlier answers, as clients send them back."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import Part, Refused
from inference.api.openai.schemas.custom_tools import custom_arguments
from inference.api.openai.schemas.object_types import by_type, known_types
from inference.core.requests import ToolCall

FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
CallId = Annotated[str, Field(min_length=1, max_length=256)]
# Clients that gather a stream's deltas send it back.
_INDEX = Refused("calls are indexed by their order.", tuple(range(128)))


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
        description=(
            "The arguments as a JSON text, as the model wrote them, or as an object. Empty arguments are an "
            "empty object. Truncated JSON is completed; text that is not a JSON object is passed to the "
            "model unchanged."
        )
    ),
]


class CalledFunction(Part):
    """Which function the assistant called, and with what."""

    name: FunctionName = Field(description="The function's name.")
    arguments: Arguments = "{}"

    def call(self, call_id: str) -> ToolCall:
        return ToolCall(id=call_id, name=self.name, arguments=self.arguments)


class CalledCustom(Part):
    """Which custom tool the assistant called, and with what."""

    name: FunctionName = Field(description="The tool's name.")
    input: str = Field(description="The input as the model wrote it, as text.")


class CallBody(Part):
    """One call of a function, sent back."""

    refused = {"index": _INDEX}

    id: CallId | None = Field(
        None,
        description="The call's id, which its result repeats; the server generates a missing one.",
    )
    type: Literal["function"] = Field("function", description="`function`; may be left out.")
    function: CalledFunction = Field(description="The function that was called.")

    def call(self, own_id: str) -> ToolCall:
        """The call, with an id of our own where it has none."""
        return self.function.call(self.id or own_id)


class CustomCallBody(Part):
    """One call of a custom tool, sent back."""

    refused = {"index": _INDEX}

    id: CallId | None = Field(None, description="The same as for a function call.")
    type: Literal["custom"] = Field("custom", description="`custom`; may be left out.")
    custom: CalledCustom = Field(description="The function that was called.")

    def call(self, own_id: str) -> ToolCall:
        """The call of the function that the tool is offered as."""
        arguments = custom_arguments(self.custom.input)
        return ToolCall(id=self.id or own_id, name=self.custom.name, arguments=arguments)


AnyCall = Annotated[
    Annotated[CallBody, Tag("<function>")] | Annotated[CustomCallBody, Tag("<custom>")],
    by_type("function", "custom"),
    known_types("function", "custom"),
]
