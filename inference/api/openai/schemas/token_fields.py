"""Fields about an answer's tokens: their ids, the log probabilities of the prompt, and how much of it counts.

The names are vLLM's: vllm/entrypoints/openai/chat_completion/protocol.py.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas.generation import Extra, Generation


def _check_limit(value: int) -> int:
    if value == 0:
        raise PydanticCustomError("no_tokens", "It must be -1, or 1 and up")
    return value


PromptLimit = Annotated[
    int,
    Field(ge=-1, le=2**31 - 1, json_schema_extra={"not": {"const": 0}}),
    AfterValidator(_check_limit),
]


class TokenFields(Generation):
    """What both older endpoints tell about tokens."""

    prompt_logprobs: Annotated[int, Field(ge=0, le=20)] | None = Field(
        None,
        description=(
            "vLLM's. 0 to 20: adds `prompt_logprobs`: the log probability and rank of each prompt "
            "token, and of this number of most likely tokens, by token id; `null` for the first token. "
            "Not in a stream."
        ),
    )
    return_token_ids: bool | None = Field(
        None,
        description=(
            "vLLM's. `true` adds `prompt_token_ids`, and `token_ids` to each choice, complete or "
            "streamed: all generated tokens, including those that end the answer."
        ),
    )
    return_tokens: bool | None = Field(
        None, description="llama.cpp's. `true` adds `tokens` to each choice: the same as `token_ids`."
    )
    truncate_prompt_tokens: PromptLimit | None = Field(
        None,
        description=(
            "vLLM's. 1 or more: truncates the prompt to this number of last tokens. -1: truncates it to "
            "the context minus `max_tokens`, and to half the context at least. The header "
            "`x-mlx-truncated-tokens` has the number of removed tokens."
        ),
    )

    @model_validator(mode="after")
    def _check_prompt_logprobs(self) -> Self:
        if self.prompt_logprobs is not None and self.stream:
            raise wrong("no_stream", "It is not allowed together with stream: true", "prompt_logprobs")
        return self

    @property
    def extras(self) -> frozenset[Extra]:
        wanted: dict[Extra, bool | None] = {"token_ids": self.return_token_ids, "tokens": self.return_tokens}
        return super().extras | {extra for extra, is_wanted in wanted.items() if is_wanted}

    @property
    def wants_token_ids(self) -> bool:
        return bool(self.return_token_ids or self.return_tokens)
