"""What both endpoints that make text have in common."""

from typing import Annotated, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Refused, Strict, either, wrong
from inference.core.requests import Sampling


class StreamOptions(Strict):
    refused = {
        "include_obfuscation": Refused(
            "chunks are not padded; what a reader sees is encrypted or local.", (False,)
        )
    }

    include_usage: bool | None = Field(
        None, description="`true` adds a last chunk with the token counts and no choices."
    )


StopText = Annotated[str, Field(min_length=1, max_length=500)]
StopTexts = Annotated[list[StopText], Field(min_length=1, max_length=4)]
Stop = Annotated[
    Annotated[StopText, Tag("<text>")] | Annotated[StopTexts, Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or 1 to 4 strings"),
]
TokenKey = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]  # JSON's keys are strings
LogitBias = Annotated[
    dict[TokenKey, Annotated[float, Field(ge=-100, le=100)]],
    Field(max_length=1024, json_schema_extra={"additionalProperties": False}),
]
Penalty = Annotated[float, Field(ge=-2, le=2)]
TokenCount = Annotated[int, Field(ge=1, le=2**31 - 1)]
Label = Annotated[str, Field(min_length=1, max_length=512)]


class Generation(Strict):
    """The fields that both endpoints share."""

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The model's id, or one of its aliases."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None,
        description=(
            "0 to 2; the default is the model's own (`generation_config.json`), else 1; 0 always "
            "picks the likeliest token."
        ),
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Above 0 to 1; the default is the model's own, else 1."
    )
    top_k: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "Not OpenAI's. 0 and up: only so many of the likeliest tokens may be drawn; 0 for all. "
            "The default is the model's own, else 0."
        ),
    )
    min_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description=(
            "Not OpenAI's. 0 to 1: drops tokens less likely than this share of the likeliest one. "
            "The default is the model's own, else 0."
        ),
    )
    presence_penalty: Penalty | None = Field(
        None, description="-2 to 2: taken off the logit of every token the answer has already."
    )
    frequency_penalty: Penalty | None = Field(
        None, description="-2 to 2: taken off once for each time the answer has the token."
    )
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = Field(
        None,
        description=(
            "Not OpenAI's. Above 0 to 2: divides the logits of tokens that prompt or answer have "
            "already (multiplies negative ones). The default is the model's own, else 1."
        ),
    )
    logit_bias: LogitBias | None = Field(
        None,
        description=(
            "An object of token ids (as strings) and -100 to 100, at most 1,024; ids the model does "
            "not have are refused."
        ),
    )
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = Field(
        None,
        description=(
            "A 64-bit integer; the same request with the same seed draws the same tokens, alone and "
            "beside others. Each further answer of `n` draws with the next seed."
        ),
    )
    n: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None, description="1 to 8 answers, computed together after one prefill."
    )
    stop: Stop | None = Field(
        None,
        description=(
            "A string, or 1 to 4 strings, of 1 to 500 characters; the text ends before the first of them."
        ),
    )
    stream: bool | None = Field(None, description="`true` for server-sent events.")
    stream_options: StreamOptions | None = Field(None, description="Only in a stream.")
    user: Label | None = Field(
        None,
        description="Who asks, in your own words: recorded with the request's span; prefixes are shared only "
        "between requests of the same one.",
    )
    ignore_eos: bool | None = Field(
        None,
        description=(
            "Not OpenAI's. `true` goes on after the model's own end until `max_tokens`, for benchmarks."
        ),
    )

    @model_validator(mode="after")
    def _options_need_a_stream(self) -> Self:
        if self.stream_options and not self.stream:
            raise wrong("no_stream", "It is only allowed together with stream: true", "stream_options")
        return self

    @property
    def includes_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def sampling(self) -> Sampling:
        temperature = None if self.temperature is None else self.temperature + 0.0  # -0.0 is 0
        return Sampling(
            temperature=temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            seed=self.seed,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
            repetition_penalty=self.repetition_penalty,
            logit_bias=tuple((int(token), bias) for token, bias in (self.logit_bias or {}).items()),
        )

    @property
    def stop_texts(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
