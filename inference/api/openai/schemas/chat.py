"""The body of POST /v1/chat/completions."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.api.http.strict_schema import Refused, wrong
from inference.api.openai.schemas.generation import Generation, TokenLimit
from inference.api.openai.schemas.messages import ChatMessage, Orphan, conversation
from inference.api.openai.schemas.prediction import Prediction
from inference.api.openai.schemas.shared_fields import (
    AnswerLimit,
    PromptCacheKey,
    SafetyIdentifier,
    check_users,
)
from inference.api.openai.schemas.tool_fields import ToolFields
from inference.core.requests import ChatRequest

Metadata = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=16),
]


class ChatCompletionBody(ToolFields):
    """The body of POST /v1/chat/completions."""

    refused = {
        **Generation.refused,
        "add_special_tokens": Refused("the chat template adds them.", (False,)),
        "audio": Refused("speech output is not supported."),
        "echo": Refused("the answer does not repeat the conversation.", (False,)),
        "modalities": Refused("answers are text.", (["text"],)),
        "moderation": Refused("moderation is not supported."),
        "web_search_options": Refused("web search is not supported."),
    }
    noted = {
        **{name: why for name, why in ToolFields.noted.items() if name != "prediction"},
        "store": "chat completions are not stored; `/v1/responses` are.",
        "verbosity": "chat templates do not support it; add it to a message.",
    }
    aliases = {**ToolFields.aliases, "cache_salt": "prompt_cache_key"}

    messages: Annotated[list[ChatMessage], Field(min_length=1)] = Field(description="At least one message.")
    logprobs: bool | None = Field(
        None,
        description=(
            "`true` returns the log probability of each token of the answer's text, complete or streamed."
        ),
    )
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = Field(
        None,
        description=(
            "0 to 20, with `logprobs: true`: the number of most likely tokens to return at each position."
        ),
    )
    max_tokens: AnswerLimit = None
    max_completion_tokens: TokenLimit = Field(
        None, description="The newer name of `max_tokens`; a request may have both if they agree."
    )
    continue_final_message: bool | None = Field(
        None,
        description=(
            "vLLM's. `true`: the answer continues the last message without repeating it. This is the "
            "default if the last message is an assistant's text. `false` begins a new message."
        ),
    )
    add_generation_prompt: bool | None = Field(
        None, description="vLLM's. The opposite of `continue_final_message`."
    )
    metadata: Metadata | None = Field(
        None, description="Up to 16 pairs of strings, recorded with the request's span."
    )
    prediction: Prediction | None = Field(
        None,
        description=(
            "The expected content of most of the answer, such as a file that is being edited. Its "
            "tokens are used as drafts that are verified together. It only changes the speed of an "
            "answer."
        ),
    )
    safety_identifier: SafetyIdentifier = None
    prompt_cache_key: PromptCacheKey = None

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if (
            None not in (self.max_tokens, self.max_completion_tokens)
            and self.max_tokens != self.max_completion_tokens
        ):
            raise wrong(
                "lengths_differ",
                "It differs from max_tokens, its older name; send one of the two",
                "max_completion_tokens",
            )
        return self

    @model_validator(mode="after")
    def _check_logprobs(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise wrong("no_logprobs", "It is only allowed together with logprobs: true", "top_logprobs")
        return self

    @model_validator(mode="after")
    def _check_tool_messages(self) -> Self:
        try:
            conversation(self.messages)
        except Orphan as orphan:
            raise wrong("no_such_call", orphan.reason, orphan.field) from None
        return self

    @model_validator(mode="after")
    def _check_last_message(self) -> Self:
        last, continues = self.messages[-1], self.continue_final_message
        if continues and self.add_generation_prompt:
            raise wrong(
                "names_differ",
                "It is not allowed together with continue_final_message",
                "add_generation_prompt",
            )
        for field, is_set in (
            ("continue_final_message", continues),
            ("add_generation_prompt", self.add_generation_prompt is False),
            (f"messages.{len(self.messages) - 1}.prefix", last.prefix),
        ):
            if is_set and not last.is_continuable:
                raise wrong("not_continuable", "The last message must be a text of the assistant's", field)
        for place, message in enumerate(self.messages[:-1]):
            if message.prefix:
                raise wrong("not_last", "Only the last message can be continued", f"messages.{place}.prefix")
        return self

    @model_validator(mode="after")
    def _check_users(self) -> Self:
        check_users(self.user, self.safety_identifier)
        return self

    @property
    def own_names(self) -> Mapping[str, str]:
        newer = {} if self.max_completion_tokens is None else {"max_tokens": "max_completion_tokens"}
        return {**super().own_names, **newer}

    @property
    def continues(self) -> bool:
        """Whether the answer goes on with the last message."""
        last, continues = self.messages[-1], self.continue_final_message
        is_new = continues is False or self.add_generation_prompt is True
        is_wanted = bool(continues) or self.add_generation_prompt is False
        return last.is_continuable and not is_new and (last.prefix is not False or is_wanted)

    def request(self) -> ChatRequest:
        return ChatRequest(
            model=self.model,
            messages=conversation(self.messages),
            sampling=self.sampling,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=self.stop_texts,
            rules=self.rules,
            prompt_logprobs=self.prompt_logprobs,
            returns_token_ids=self.wants_token_ids,
            prompt_limit=self.truncate_prompt_tokens,
            logprobs=(self.top_logprobs or 0) if self.logprobs else None,
            speculates=self.speculative is not False,
            prediction=self.prediction.text if self.prediction else "",
            n=self.n or 1,
            tools=self.offered,
            must_call=self.must_call,
            follows_schemas=self.follows_schemas,
            may_call_several=self.may_call_several,
            schema=self.schema_text,
            has_strict_schema=self.has_strict_schema,
            grammar=self.answer_grammar,
            continues=self.continues,
            template_options=tuple(self.template_options.items()),
            thinking=self.wants_thinking,
            effort=self.effort,
            thinking_budget=self.budget,
            ignores_end=bool(self.ignore_eos),
            user=self.user or self.safety_identifier or "",
            cache_key=self.prompt_cache_key or "",
            labels=tuple((self.metadata or {}).items()),
        )
