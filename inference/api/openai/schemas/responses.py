"""The body of POST /v1/responses."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Body, Part, Refused, either, only, unless, wrong
from inference.api.openai.schemas import other_servers
from inference.api.openai.schemas.chat import Metadata
from inference.api.openai.schemas.generation import Label, Penalty, TokenLimit
from inference.api.openai.schemas.input_items import Input
from inference.api.openai.schemas.messages import FunctionName
from inference.api.openai.schemas.thinking import ReasoningEffort
from inference.api.openai.schemas.tools import JsonSchema, Parallel, check_tools, must_call, several, tool_of
from inference.core.requests import ChatRequest, Message, Sampling, Tool

_FUNCTIONS_ONLY = "tools are functions."
_OWN_NAMES = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "response_format.json_schema.": "text.format.",
    "response_format": "text.format",
    "tool_choice.function.": "tool_choice.",
    "tools.*.function.": "tools.*.",
}


class FunctionTool(Part):
    """A function the model may call."""

    type: Annotated[Literal["function"], only("function", why=_FUNCTIONS_ONLY)] = Field(
        description="`function`."
    )
    name: FunctionName = Field(description="1 to 64 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="What it does; the model reads it.")
    parameters: JsonSchema | None = Field(
        None, description="A JSON Schema of its arguments; none for a function without any."
    )
    strict: bool | None = Field(
        None,
        description="`true` has the arguments follow the schema; they always do where a call is required.",
    )

    refused = {"defer_loading": Refused("tools are told at once.", (False,))}

    def tool(self) -> Tool:
        return tool_of(self.name, self.description, self.parameters)


class NamedChoice(Part):
    type: Annotated[
        Literal["function"],
        only("function", "allowed_tools", why=_FUNCTIONS_ONLY),
        unless("allowed_tools", why="send only the tools that are allowed."),
    ] = Field(description="`function`.")
    name: FunctionName = Field(description="The function to be called.")


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")] | Annotated[NamedChoice, Tag("<object>")],
    either(
        {"<word>": str, "<object>": dict}, "'none', 'auto', 'required' or an object that names a function"
    ),
]


class TextFormat(Part):
    """The form of the answer's text."""

    noted = {"description": "the model does not read it; put it into the instructions."}

    type: Literal["text", "json_object", "json_schema"] = Field(
        description="`text`; `json_object`: any JSON object; `json_schema`: what follows the schema."
    )
    name: FunctionName | None = Field(None, description="With `json_schema`: a label.")
    schema_: JsonSchema | None = Field(
        None, alias="schema", description="With `json_schema`: the schema; enforced while decoding."
    )
    strict: bool | None = Field(None, description="The schema is enforced whether this is `true` or not.")

    @property
    def schema_text(self) -> str:
        if self.type == "text":
            return ""
        return json.dumps(self.schema_) if self.schema_ is not None else '{"type":"object"}'


class TextOptions(Part):
    refused = {"verbosity": Refused("no chat template knows it; say it in the instructions.", ("medium",))}

    format: TextFormat | None = Field(None, description="The form of the answer's text.")


class ReasoningOptions(Part):
    refused = {
        "summary": Refused("reasoning is told whole, not summarised."),
        "generate_summary": Refused("reasoning is told whole, not summarised."),
        "context": Refused("the chat template decides which thoughts are kept.", ("auto",)),
        "mode": Refused("there is one mode."),
    }

    effort: ReasoningEffort | None = Field(
        None, description="Given to the chat template; refused where the template does not know it."
    )


class ResponseStreamOptions(Part):
    noted = {"include_obfuscation": "events are not padded."}


class ResponseBody(Body):
    """The body of POST /v1/responses."""

    noted = other_servers.NOTED
    refused = {
        "access_programs": Refused("there are none."),
        "background": Refused("an answer is made while you wait.", (False,)),
        "background_options": Refused("an answer is made while you wait."),
        "context_management": Refused("a context is never shortened behind your back.", ([],)),
        "conversation": Refused("send `previous_response_id`."),
        "image": Refused("these models read text only."),
        "include": Refused("reasoning is always told, and there is nothing else to add.", ([],)),
        "max_tool_calls": Refused("there are no tools of the server's own."),
        "moderation": Refused("there is no moderation here."),
        "prompt": Refused("no prompts are kept; send the text."),
        "top_logprobs": Refused("ask /v1/chat/completions for log probabilities.", (0,)),
    }

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The model's id, or one of its aliases."
    )
    input: Input = Field(
        description="A string, or a list of items: messages, calls, their results and reasoning."
    )
    instructions: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        None, description="A system message before all others; not carried over to the next response."
    )
    previous_response_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="A stored response whose conversation goes on; 404 where it is not yours."
    )
    tools: Annotated[list[FunctionTool], Field(max_length=128)] | None = Field(
        None,
        description=(
            "At most 128 functions; refused if the model has no chat template, or its tool calls cannot be "
            "parsed. If the template renders no tools, the system message describes them."
        ),
    )
    tool_choice: ToolChoice | None = Field(
        None, description="`none`, `auto` (the default), `required`, or an object that names one function."
    )
    parallel_tool_calls: Parallel = None
    text: TextOptions | None = Field(None, description="The form of the answer.")
    reasoning: ReasoningOptions | None = Field(None, description="How much the model is to think.")
    max_output_tokens: TokenLimit = Field(
        None,
        description="1 and up; the default is `MLX_SERVER_MAX_OUTPUT_TOKENS`, or what the context leaves.",
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None, description="0 to 2; the default is the model's own, else 1."
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Above 0 to 1; the default is the model's own, else 1."
    )
    presence_penalty: Penalty | None = Field(
        None,
        description="Not OpenAI's. -2 to 2: taken off the logit of every token the answer has already.",
    )
    frequency_penalty: Penalty | None = Field(
        None,
        description="Not OpenAI's. -2 to 2: taken off once for each time the answer has the token.",
    )
    metadata: Metadata | None = Field(
        None, description="Up to 16 pairs of strings, kept with the response and recorded with its span."
    )
    store: bool | None = Field(None, description="`false` keeps nothing; the default keeps the response.")
    stream: bool | None = Field(None, description="`true` for server-sent events.")
    stream_options: ResponseStreamOptions | None = Field(None, description="Only in a stream.")
    truncation: (
        Annotated[Literal["disabled"], unless("auto", why="a context is never shortened behind your back.")]
        | None
    ) = Field(None, description="`disabled`: too long a context is refused.")
    user: Label | None = Field(
        None, description="Who asks: prefixes are shared only between requests of the same one."
    )
    safety_identifier: Label | None = Field(None, description="The newer name of `user`.")
    prompt_cache_key: Label | None = Field(
        None, description="Prefixes are shared only between requests with the same key."
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        check_tools(
            [tool.name for tool in self.tools or ()], self.chosen, "tools.{}.name", "tool_choice.name"
        )
        if self.stream_options and not self.stream:
            raise wrong("no_stream", "It is only allowed together with stream: true", "stream_options")
        form = self.text.format if self.text else None
        if form and form.type != "json_schema" and (form.name is not None or form.strict is not None):
            field = "name" if form.name is not None else "strict"
            raise wrong("no_schema", "It is for the type json_schema only", f"text.format.{field}")
        if form and (form.type == "json_schema") != (form.schema_ is not None):
            is_schema = form.type == "json_schema"
            says = "It is required with this type" if is_schema else "It is for the type json_schema only"
            raise wrong("no_schema", says, "text.format.schema")
        if None not in (self.user, self.safety_identifier) and self.user != self.safety_identifier:
            raise wrong("users_differ", "It differs from user, its older name", "safety_identifier")
        return self

    @property
    def chosen(self) -> str:
        """`none`, `auto`, `required`, or `=` and the name of a function."""
        choice = self.tool_choice
        return choice or "auto" if choice is None or isinstance(choice, str) else f"={choice.name}"

    @property
    def is_stored(self) -> bool:
        return self.store is not False

    @property
    def own_names(self) -> Mapping[str, str]:
        return {**super().own_names, **_OWN_NAMES}

    @property
    def sampling(self) -> Sampling:
        return Sampling(
            temperature=None if self.temperature is None else self.temperature + 0.0,  # -0.0 is 0
            top_p=self.top_p,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
        )

    def request(self, messages: tuple[Message, ...]) -> ChatRequest:
        """The chat that answers it, to a conversation of these messages."""
        tools = () if self.chosen == "none" else tuple(tool.tool() for tool in self.tools or ())
        is_strict = any(tool.strict for tool in self.tools or ())
        effort = self.reasoning.effort if self.reasoning else None
        form = self.text.format if self.text else None
        return ChatRequest(
            model=self.model,
            messages=messages,
            sampling=self.sampling,
            max_tokens=self.max_output_tokens,
            tools=tools,
            must_call=must_call(tools, self.chosen),
            follows_schemas=self.chosen != "none" and (is_strict or self.chosen != "auto"),
            may_call_several=several(self.parallel_tool_calls, self.chosen),
            schema=form.schema_text if form else "",
            effort=effort or "",
            user=self.user or self.safety_identifier or "",
            cache_key=self.prompt_cache_key or "",
            labels=tuple((self.metadata or {}).items()),
        )
