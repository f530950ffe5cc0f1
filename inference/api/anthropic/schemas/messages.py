"""The bodies of POST /v1/messages and POST /v1/messages/count_tokens."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from msgspec import structs
from pydantic import Field, ValidationInfo, model_validator

from inference.api.anthropic.schemas import cache_marks, tools, turns
from inference.api.anthropic.schemas.blocks import TextOrBlocks
from inference.api.anthropic.schemas.tools import JsonSchema, SentChoice, ToolBody, ToolChoice
from inference.api.anthropic.schemas.turns import Turn
from inference.api.http.strict_schema import Body, Part, Refused, not_given, wrong
from inference.core.requests import ChatRequest, Message, Sampling, Tool

# What the rest of the server calls the fields that this dialect calls otherwise.
_OWN_NAMES: Mapping[str, str] = {
    "reasoning_effort": "output_config.effort",
    "stop": "stop_sequences",
    "thinking_budget": "thinking.budget_tokens",
    "tool_choice.function": "tool_choice.name",
    "tools.*.function.parameters": "tools.*.input_schema",
    "tools.*.function.": "tools.*.",
}
INTERLEAVED = "interleaved thinking"  # in the context: a budget is that of a turn with all its tool calls
_SMALLEST_SHARE = 1e-6  # of top_p: the likeliest token alone
StopText = Annotated[str, Field(max_length=500)]
Effort = Annotated[
    Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None, not_given("default")
]


class Thinking(Part):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"] = Field(
        description=(
            "`enabled` and `disabled` switch reasoning if the chat template supports this; `adaptive` and "
            "`between_tools` use the template's default."
        )
    )
    budget_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "The maximum number of reasoning tokens; 0 ends the reasoning immediately. It must be below "
            "`max_tokens`, unless the header `anthropic-beta` has `interleaved-thinking-*`."
        ),
    )
    display: Literal["summarized", "omitted"] | None = Field(
        None,
        description=(
            "`omitted`: thinking blocks of the answer have no text; their signature restores it when they "
            "are sent back. Reasoning is never summarised."
        ),
    )


class JsonFormat(Part):
    """The schema that the answer follows."""

    type: Literal["json_schema"] = Field(description="`json_schema`.")
    schema_: JsonSchema = Field(alias="schema", description="The JSON Schema; enforced during decoding.")


class OutputConfig(Part):
    noted = {"task_budget": "it describes a task that spans several requests."}

    effort: Effort = Field(
        None, description="How much to reason, `low` to `max`; `default` leaves it to the template."
    )
    format: JsonFormat | None = Field(None, description="The format of the answer's text.")


class Metadata(Part):
    user_id: Annotated[str, Field(max_length=4096)] | None = Field(
        None,
        description="Recorded with the request's span. Prefixes are shared between all users of a key.",
    )


class CountTokensBody(Body):
    """The body of POST /v1/messages/count_tokens, and what it shares with POST /v1/messages."""

    refused = {
        "container": Refused("the server does not run tools."),
        "mcp_servers": Refused("the server calls no MCP servers; let the client offer their tools.", ([],)),
        "thread": Refused("conversations are not stored; send all messages."),
    }
    noted = {
        "anthropic_beta": "every available feature works without a header.",
        "anthropic_version": "there is only one version.",
        "betas": "every available feature works without a header.",
        "billing_policy": "the server does not bill.",
        "cache_control": "the prompt's caches are always stored at the end of its last message.",
        "compaction": "the context is never shortened.",
        "diagnostics": "the server's log has them.",
        "fallback_credit_token": "the server does not bill.",
        "fallbacks": "requests are never sent to another model.",
        "inference_geo": "the model runs on this server.",
        "service_tier": "there is only one tier.",
        "speed": "it only changes the speed of an answer.",
        "user_profile_id": "it describes the client.",
        "workspace_id": "it describes the client.",
    }
    silent = frozenset({"cache_control"})

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The model's id, or one of its aliases."
    )
    messages: Annotated[list[Turn], Field(min_length=1)] = Field(description="At least one message.")
    system: TextOrBlocks | None = Field(
        None,
        description=(
            "The system text, or text blocks, each a paragraph. Counters that Claude Code changes with "
            "every request are omitted, so that prefixes stay cached."
        ),
    )
    tools: list[ToolBody] | None = Field(None, description="The tools that the model may call.")
    tool_choice: SentChoice = Field(
        None, description="Whether to call a tool, and which one: an object, or its `type` alone."
    )
    thinking: Thinking | None = Field(None, description="Whether to reason, and for how long.")
    output_config: OutputConfig | None = Field(
        None, description="How much to reason, and the format of the answer."
    )
    output_format: JsonFormat | None = Field(
        None, description="The older name of `output_config.format`; a request may have both if they agree."
    )
    context_management: dict[str, Any] | None = Field(
        None,
        description=(
            "Edits that would shorten long prompts. No edits are applied, and the answer's "
            "`context_management.applied_edits` is empty."
        ),
    )

    @model_validator(mode="after")
    def _check_results(self) -> Self:
        turns.check_results(self.messages)
        return self

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        last = self.messages[-1]
        if last.role == "assistant" and any(block.type == "tool_use" for block in last.blocks):
            raise wrong("no_result", "The calls of the last message have no results", "messages")
        if not self.conversation:
            raise wrong("nothing_asked", "There is nothing in them for the model to read", "messages")
        return self

    @model_validator(mode="after")
    def _check_tool_choice(self) -> Self:
        tools.check_tools(self.tools or (), self.tool_choice)
        return self

    @model_validator(mode="after")
    def _check_forms(self) -> Self:
        newer = self.output_config.format if self.output_config else None
        if self.output_format and newer and newer.schema_ != self.output_format.schema_:
            raise wrong("forms_differ", "It differs from output_config.format", "output_format")
        return self

    @property
    def conversation(self) -> tuple[Message, ...]:
        return turns.conversation(self.system, self.messages)

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools that are in the prompt."""
        is_hidden = self.tool_choice is not None and self.tool_choice.type == "none"
        return () if is_hidden else tools.offered(self.tools or ())

    @property
    def marks(self) -> Iterator[str]:
        """What was left out of system texts because it changes with every request."""
        return turns.marks_of(self.system, self.messages)

    @property
    def left_out(self) -> Iterator[str]:
        """Tools and blocks of Anthropic's own servers, by place and type."""
        yield from tools.left_out(self.tools or ())
        for place, turn in enumerate(self.messages):
            yield from turn.left_out(f"messages.{place}")

    @property
    def own_names(self) -> Mapping[str, str]:
        is_newer = bool(self.output_config and self.output_config.format) or not self.output_format
        form = "output_config.format" if is_newer else "output_format"
        forms = {"response_format": form, "response_format.json_schema.schema": f"{form}.schema"}
        return {**super().own_names, **_OWN_NAMES, **forms}

    @property
    def schema_text(self) -> str:
        """JSON text of the schema of the answer; empty for free text."""
        form = (self.output_config.format if self.output_config else None) or self.output_format
        return json.dumps(form.schema_) if form else ""

    @property
    def follows_schemas(self) -> bool:
        """Whether the arguments of calls have to: always where there must be one."""
        if self.tool_choice and self.tool_choice.type != "auto":
            return self.tool_choice.type != "none"
        return any(isinstance(tool, tools.DefinedTool) and tool.strict for tool in self.tools or ())

    def request(self) -> ChatRequest:
        messages, offered = self.conversation, self.offered
        choice = self.tool_choice or ToolChoice(type="auto")
        thinking = {"enabled": True, "disabled": False}.get(self.thinking.type) if self.thinking else None
        return ChatRequest(
            model=self.model,
            messages=messages,
            tools=offered,
            must_call=choice.must_call(offered),
            may_call_several=choice.may_call_several,
            follows_schemas=self.follows_schemas,
            schema=self.schema_text,
            has_strict_schema=bool(self.schema_text),
            thinking=thinking,
            effort=(self.output_config.effort or "") if self.output_config else "",
            thinking_budget=self.thinking.budget_tokens if self.thinking else None,
            continues=messages[-1].role == "assistant",
            checkpoints=cache_marks.checkpoints(self.system, self.messages, self.tools or ()),
        )


class MessagesBody(CountTokensBody):
    """The body of POST /v1/messages."""

    max_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        description=(
            "The maximum number of tokens in the answer. If the context leaves fewer, the header "
            "`x-mlx-max-tokens` has the number. 0 only computes the prompt and caches its prefix."
        )
    )
    stop_sequences: Annotated[list[StopText], Field(max_length=64)] | None = Field(
        None,
        description="At most 64 texts of 500 characters; the answer ends before the first one that occurs.",
    )
    stream: bool | None = Field(None, description="`true` for server-sent events.")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None, description="0 to 2; the default is the model's own. 0 always picks the most likely token."
    )
    top_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="0 to 1; the default is the model's own. 0 keeps only the most likely token."
    )
    top_k: Annotated[int, Field(ge=-1, le=2**31 - 1)] | None = Field(
        None, description="Samples only from this number of most likely tokens; 0 or -1 for all."
    )
    metadata: Metadata | None = Field(None, description="About the request.")

    @model_validator(mode="after")
    def _check_budget(self, info: ValidationInfo) -> Self:
        budget = self.thinking.budget_tokens if self.thinking else None
        is_of_a_turn = bool((info.context or {}).get(INTERLEAVED))
        if not is_of_a_turn and budget is not None and 0 < self.max_tokens <= budget:
            raise wrong("no_answer_left", "It must be less than max_tokens", "thinking.budget_tokens")
        return self

    @property
    def hides_thinking(self) -> bool:
        return self.thinking is not None and self.thinking.display == "omitted"

    def request(self) -> ChatRequest:
        user = self.metadata.user_id if self.metadata else None
        temperature = None if self.temperature is None else self.temperature + 0.0  # -0.0 is 0
        sampling = Sampling(
            temperature=temperature,
            top_p=_SMALLEST_SHARE if self.top_p == 0 else self.top_p,
            top_k=0 if self.top_k == -1 else self.top_k,
        )
        return structs.replace(
            super().request(),
            sampling=sampling,
            max_tokens=max(1, self.max_tokens),
            stop=tuple(stop for stop in self.stop_sequences or () if stop),
            labels=(("user_id", user),) if user else (),
        )
