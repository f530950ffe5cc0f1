"""The body of POST /v1/completions."""

from typing import Annotated, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Refused, unsupported, wrong
from inference.api.openai.schemas.answer_form import FormFields
from inference.api.openai.schemas.generation import Generation
from inference.api.openai.schemas.prompts import ONE_OR_SEVERAL, OnePrompt, Text, Tokens, listed
from inference.core.requests import CompletionRequest, Prompt

DEFAULT_MAX_TOKENS = 16  # OpenAI's, for this older endpoint alone
MOST_ANSWERS = 128  # of one request

Prompts = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[Tokens, Tag("<tokens>")]
    | Annotated[list[OnePrompt], Field(min_length=1, max_length=MOST_ANSWERS), Tag("<list>")],
    ONE_OR_SEVERAL,
]


class CompletionBody(FormFields):
    """The body of POST /v1/completions."""

    refused = {
        **Generation.refused,
        "add_special_tokens": Refused("the tokenizer always adds its special tokens.", (True,)),
        "best_of": Refused("every answer is returned; send `n`.", (1,)),
    }

    prompt: Prompts = Field(
        description=(
            "A string, or a list of token ids, not empty; or a list of such prompts. Each prompt "
            "returns `n` answers, at most 128 in total, in the order of the prompts."
        )
    )
    suffix: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        None, description="The text after the answer; refused if the model cannot fill in the middle."
    )
    max_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None, description="1 or more, or 0 together with `echo` or `prompt_logprobs`; the default is 16."
    )
    echo: bool | None = Field(None, description="`true` puts the prompt before the text.")
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = Field(
        None,
        description=(
            "0 to 5: returns the log probability of each token, and of this number of most likely "
            "tokens at its position; with `echo`, also for the prompt."
        ),
    )

    @model_validator(mode="after")
    def _check_empty_answer(self) -> Self:
        if self.max_tokens == 0 and not self.echo and self.prompt_logprobs is None:
            raise wrong(
                "no_echo", "0 is only allowed together with echo: true or prompt_logprobs", "max_tokens"
            )
        return self

    @model_validator(mode="after")
    def _check_infill(self) -> Self:
        if self.suffix is None:
            return self
        if not isinstance(self.prompt, str):
            raise unsupported("<field> is only supported with a prompt that is one string.", "suffix")
        if self.echo:
            raise unsupported("<field> is not supported together with echo.", "suffix")
        if self.truncate_prompt_tokens is not None:
            raise unsupported("<field> is not supported together with suffix.", "truncate_prompt_tokens")
        return self

    @model_validator(mode="after")
    def _check_answer_count(self) -> Self:
        if len(self.prompts) * (self.n or 1) > MOST_ANSWERS:
            raise wrong("too_many", f"Prompts times n are more than {MOST_ANSWERS}", "n")
        return self

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        return listed(self.prompt)

    def request(self) -> CompletionRequest:
        return CompletionRequest(
            model=self.model,
            prompts=self.prompts,
            suffix=self.suffix,
            echo=bool(self.echo),
            sampling=self.sampling,
            max_tokens=DEFAULT_MAX_TOKENS if self.max_tokens is None else self.max_tokens,
            stop=self.stop_texts,
            rules=self.rules,
            prompt_logprobs=self.prompt_logprobs,
            returns_token_ids=self.wants_token_ids,
            prompt_limit=self.truncate_prompt_tokens,
            logprobs=self.logprobs,
            speculates=self.speculative is not False,
            n=self.n or 1,
            schema=self.schema_text,
            has_strict_schema=self.has_strict_schema,
            grammar=self.answer_grammar,
            ignores_end=bool(self.ignore_eos),
            user=self.user or "",
        )
