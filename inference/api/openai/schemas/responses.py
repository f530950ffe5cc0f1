"""The body of POST /v1/responses."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from inference.api.anthropic.schemas.request_marks import marks_of
from inference.api.http.strict_schema import Refused, exclusive, unsupported, wrong
from inference.api.openai.schemas import other_servers
from inference.api.openai.schemas.chat import Metadata
from inference.api.openai.schemas.generation import Label, SampledBody
from inference.api.openai.schemas.input_items import AddedToolsItem, Input
from inference.api.openai.schemas.offered_tools import OfferedTools
from inference.api.openai.schemas.response_options import (
    ENCRYPTED_REASONING,
    LOGPROBS,
    ContextManagement,
    ConversationChoice,
    ConversationReference,
    Include,
    ReasoningOptions,
    ResponseStreamOptions,
    TextOptions,
)
from inference.api.openai.schemas.response_tools import ResponseTools, ToolChoice
from inference.api.openai.schemas.shared_fields import (
    AnswerLimit,
    PromptCacheKey,
    SafetyIdentifier,
    check_users,
)
from inference.api.openai.schemas.tools import Parallel, must_call, several
from inference.core.requests import ChatRequest, Message

_OWN_NAMES = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "effort": "reasoning.effort",
    "thinking_budget": "reasoning.max_tokens",
    "logprobs": "top_logprobs",
    "response_format.json_schema.": "text.format.",
    "response_format": "text.format",
    "tool_choice.function.": "tool_choice.",
    "tools.*.function.": "tools.*.",
}
_NO_INPUT = "It is required, and with at least 1 item, unless previous_response_id or conversation is sent"
_LENGTHS = ("max_tokens", "max_completion_tokens", "max_new_tokens", "n_predict", "num_predict")


class ResponseBody(SampledBody):
    """The body of POST /v1/responses."""

    noted = {
        **other_servers.NOTED,
        "max_tool_calls": "the client runs the tools, not the server.",
    }
    refused = {
        **other_servers.REFUSED,
        "access_programs": Refused("connectors are not supported."),
        "background_options": Refused("background responses do not need it."),
        "image": Refused("send pictures in the input, as parts of type 'input_image'."),
        "moderation": Refused("moderation is not supported."),
        "prompt": Refused("the server stores no prompts; send the text."),
    }
    aliases = {"repeat_penalty": "repetition_penalty", **dict.fromkeys(_LENGTHS, "max_output_tokens")}

    input: Input | None = Field(
        None,
        description=(
            "A string, or a list of items: messages, calls, their results, reasoning and references to "
            "stored items. Required, unless the request continues a stored response or a conversation."
        ),
    )
    instructions: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        None, description="A system message before all others; it does not apply to the next response."
    )
    previous_response_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="The id of the stored response to continue; 404 if it is not yours."
    )
    conversation: ConversationChoice | None = Field(
        None,
        description=(
            "The id of a conversation, or an object with it. Its items precede the input. Input and output "
            "are added to it when the response is complete, even with `store: false`."
        ),
    )
    context_management: Annotated[list[ContextManagement], Field(max_length=8)] | None = Field(
        None,
        description="Summarises long conversations; the output then begins with a `compaction` item.",
    )
    include: Include | None = Field(
        None,
        description=(
            "`reasoning.encrypted_content`: each reasoning item also has a signed copy of the reasoning, so "
            "that clients without storage can send it back. `message.output_text.logprobs`: log "
            "probabilities of the text. OpenAI's other values request output that this server never "
            "produces, and are noted."
        ),
    )
    tools: ResponseTools | None = Field(
        None,
        description=(
            "Functions, namespaces of functions, and custom tools; refused if the model does not support "
            "tools. Hosted tools are omitted and listed in `x-mlx-omitted`."
        ),
    )
    tool_choice: ToolChoice | None = Field(
        None,
        description=(
            "`none`, `auto` (the default), `required`, an object that names one tool, or `allowed_tools`. "
            "`any` is `required`, and `{type: WORD}` is WORD. Requiring a hosted tool is refused."
        ),
    )
    parallel_tool_calls: Parallel = None
    text: TextOptions | None = Field(None, description="The format of the answer.")
    reasoning: ReasoningOptions | None = Field(None, description="How much the model thinks.")
    max_output_tokens: AnswerLimit = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = Field(
        None,
        description="0 to 20: returns log probabilities, with this many alternatives per position.",
    )
    metadata: Metadata | None = Field(
        None, description="Up to 16 pairs of strings, stored with the response and recorded with its span."
    )
    store: bool | None = Field(
        None, description="`false` does not store the response; the default is `true`."
    )
    background: bool | None = Field(
        None,
        description=(
            "`true` returns immediately with the status `queued`; the response continues without its client "
            "until it is complete or cancelled. Only for stored responses."
        ),
    )
    stream: bool | None = Field(None, description="`true` for server-sent events.")
    stream_options: ResponseStreamOptions | None = Field(None, description="Only in a stream.")
    truncation: Literal["auto", "disabled"] | None = Field(
        None, description="An input that exceeds the context is refused, never shortened. `auto` is noted."
    )
    user: Label | None = Field(
        None,
        description="The end user's id; only requests with the same id share cached prefixes.",
    )
    safety_identifier: SafetyIdentifier = None
    prompt_cache_key: PromptCacheKey = None
    _offered: OfferedTools | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _check_tools(self) -> Self:
        added = [
            (f"input.{place}.tools.", item.tools)
            for place, item in enumerate(self.input if isinstance(self.input, list) else ())
            if isinstance(item, AddedToolsItem)
        ]
        self._offered = OfferedTools(self.tools or (), self.tool_choice, added)
        return self

    @model_validator(mode="after")
    def _check_previous(self) -> Self:
        if self.conversation is not None and self.previous_response_id is not None:
            raise exclusive("conversation", "previous_response_id")
        if not self.input and self.input != "" and not (self.conversation or self.previous_response_id):
            raise wrong("no_input", _NO_INPUT, "input")
        return self

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        form = self.text.format if self.text else None
        if form and form.type != "json_schema" and (form.name is not None or form.strict is not None):
            field = "name" if form.name is not None else "strict"
            raise wrong("no_schema", "It is for the type json_schema only", f"text.format.{field}")
        if form and (form.type == "json_schema") != (form.schema_ is not None):
            is_schema = form.type == "json_schema"
            says = "It is required with this type" if is_schema else "It is for the type json_schema only"
            raise wrong("no_schema", says, "text.format.schema")
        return self

    @model_validator(mode="after")
    def _check_end(self) -> Self:
        is_formed = bool(self.text and self.text.format and self.text.format.schema_text)
        if self.ignore_eos and (is_formed or self._follows_schemas):
            form = "a form of the answer" if is_formed else "calls that are enforced"
            raise unsupported(f"<field> is not supported together with {form}.", "ignore_eos")
        return self

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.stream_options and not self.stream:
            raise wrong("no_stream", "It is only allowed together with stream: true", "stream_options")
        if self.background and not self.is_stored:
            raise wrong(
                "not_stored", "It is only allowed for stored responses, without store: false", "background"
            )
        check_users(self.user, self.safety_identifier)
        return self

    @property
    def offered(self) -> OfferedTools:
        """The tools, under the names that the model knows."""
        return self._offered or OfferedTools((), None)

    @property
    def conversation_id(self) -> str | None:
        """The conversation in which the response is made."""
        chosen = self.conversation
        return chosen.id if isinstance(chosen, ConversationReference) else chosen

    @property
    def compact_threshold(self) -> int | None:
        """From how many tokens of a prompt on it is compacted; None for the default."""
        return min(
            (one.compact_threshold for one in self.context_management or () if one.compact_threshold),
            default=None,
        )

    @property
    def is_stored(self) -> bool:
        return self.store is not False

    @property
    def seals_reasoning(self) -> bool:
        """Whether reasoning items are to hold their reasoning sealed as well."""
        return ENCRYPTED_REASONING in (self.include or ())

    @property
    def summarises(self) -> bool:
        """Whether reasoning items are to have a summary."""
        return bool(self.reasoning and self.reasoning.summary)

    @property
    def noted_values(self) -> Iterator[str]:
        """The paths of values that are taken and change nothing, beside the fields that `noted` lists."""
        for place, value in enumerate(self.include or ()):
            if value not in (ENCRYPTED_REASONING, LOGPROBS):
                yield f"include.{place}"
        if self.truncation == "auto":
            yield "truncation"

    @property
    def request_marks(self) -> Iterator[str]:
        yield from marks_of("instructions", self.instructions)

    @property
    def own_names(self) -> Mapping[str, str]:
        sent_as = super().own_names
        ours = {path: sent_as.get(name, name) for path, name in _OWN_NAMES.items()}
        return {**sent_as, **ours, **self.offered.field_names}

    @property
    def _follows_schemas(self) -> bool:
        """Whether the arguments of calls are held to their schemas."""
        offered = self.offered
        is_strict = any(one.is_strict for one in offered.chosen)
        return offered.mode != "none" and (is_strict or offered.mode != "auto")

    @property
    def _logprobs(self) -> int | None:
        """How many alternatives each token of the text has; None for no log probabilities."""
        has_logprobs = bool(self.top_logprobs) or LOGPROBS in (self.include or ())
        return (self.top_logprobs or 0) if has_logprobs else None

    def request(self, messages: tuple[Message, ...]) -> ChatRequest:
        """The chat that answers it, to a conversation of these messages."""
        offered, mode = self.offered, self.offered.mode
        tools = tuple(one.tool for one in offered.chosen)
        reasoning = self.reasoning or ReasoningOptions()
        form = self.text.format if self.text else None
        return ChatRequest(
            model=self.model,
            messages=messages,
            sampling=self.sampling,
            max_tokens=self.max_output_tokens,
            stop=self.stop_texts,
            rules=self.rules,
            ignores_end=bool(self.ignore_eos),
            logprobs=self._logprobs,
            speculates=self.speculative is not False,
            tools=tools,
            must_call=must_call(tools, mode),
            follows_schemas=self._follows_schemas,
            may_call_several=several(self.parallel_tool_calls, mode),
            schema=form.schema_text if form else "",
            has_strict_schema=bool(form and form.strict),
            continues=_is_unfinished(messages),
            effort=reasoning.effort or "",
            thinking=reasoning.enabled,
            thinking_budget=reasoning.max_tokens,
            user=self.user or self.safety_identifier or "",
            cache_key=self.prompt_cache_key or "",
            labels=tuple((self.metadata or {}).items()),
        )


def _is_unfinished(messages: tuple[Message, ...]) -> bool:
    """Whether the conversation ends with a text of the assistant's, which the answer then goes on with."""
    last = messages[-1] if messages else None
    return bool(last and last.role == "assistant" and last.content and not last.tool_calls)
