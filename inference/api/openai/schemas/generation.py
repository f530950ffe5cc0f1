"""What both endpoints that make text have in common."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Tag, model_validator

from inference.api.http.strict_schema import Body, Part, either, wrong
from inference.api.openai.schemas import other_servers
from inference.api.openai.schemas.logit_bias import NEVER, LogitBias, pairs_of
from inference.core.requests import Sampling, TokenRules


class StreamOptions(Part):
    noted = {"include_obfuscation": "chunks are not padded; connections are local or encrypted."}

    include_usage: bool | None = Field(
        None, description="`true` adds a last chunk with the token counts and no choices."
    )
    continuous_usage_stats: bool | None = Field(
        None, description="vLLM's. `true` adds the current token counts to every chunk."
    )


Extra = Literal["usage", "usage_so_far", "timings", "progress", "no_reasoning", "token_ids", "tokens"]
MOST_STOPS = 64
LONGEST_STOP = 500  # characters
StopText = Annotated[str, Field(max_length=LONGEST_STOP)]
StopTexts = Annotated[list[StopText], Field(max_length=MOST_STOPS)]
Stop = Annotated[
    Annotated[StopText, Tag("<text>")] | Annotated[StopTexts, Tag("<list>")],
    either({"<text>": str, "<list>": list}, f"a string or up to {MOST_STOPS} strings"),
]
TokenId = Annotated[int, Field(ge=0, le=2**31 - 1)]
Share = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]


def no_limit(value: Any) -> Any:
    """-1 is llama.cpp's and Ollama's way to set no limit."""
    return None if type(value) is int and value == -1 else value


Window = Annotated[Annotated[int, Field(ge=0, le=2**31 - 1)] | None, BeforeValidator(no_limit)]
TokenLimit = Annotated[Annotated[int, Field(ge=1, le=2**31 - 1)] | None, BeforeValidator(no_limit)]
Label = Annotated[str, Field(max_length=512)]  # an empty one is none


_SMALLEST_SHARE = 1e-6  # of top_p: the likeliest token alone


class SampledBody(Body):
    """How tokens are drawn and where an answer stops: fields of every endpoint that makes text."""

    refused = other_servers.REFUSED
    noted = other_servers.NOTED

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The model's id, or one of its aliases."
    )
    speculative: bool | None = Field(
        None,
        description=(
            "`false` switches off speculative decoding for this request. It does not change the text."
        ),
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None,
        description=(
            "0 to 2; the default is the model's own (`generation_config.json`), else 1. 0 always picks "
            "the most likely token."
        ),
    )
    top_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="0 to 1; the default is the model's own, else 1. 0 keeps only the most likely token.",
    )
    top_k: Annotated[int, Field(ge=-1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "Not OpenAI's. 0 or more: samples only from this number of most likely tokens; 0 or -1 for "
            "all. The default is the model's own, else 0."
        ),
    )
    min_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description=(
            "Not OpenAI's. 0 to 1: drops tokens whose probability is below this fraction of the most "
            "likely one's. The default is the model's own, else 0."
        ),
    )
    presence_penalty: Penalty | None = Field(
        None, description="-2 to 2: subtracted from the logit of each token that the answer already contains."
    )
    frequency_penalty: Penalty | None = Field(
        None,
        description="-2 to 2: subtracted from the logit of a token once for each occurrence in the answer.",
    )
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = Field(
        None,
        description=(
            "Not OpenAI's. Above 0 to 2: divides the logits of tokens that the prompt or the answer "
            "already contains (multiplies negative ones). The default is the model's own, else 1."
        ),
    )
    logit_bias: LogitBias | None = Field(
        None,
        description=(
            "An object that maps token ids (as strings) to values from -100 to 100, at most 1,024; "
            "unknown ids are refused. llama.cpp's: a list of pairs; a text instead of an id, for each "
            "of its tokens; `false` instead of a number, to ban a token."
        ),
    )
    repetition_window: Window = Field(
        None,
        description=(
            "Not OpenAI's. With `repetition_penalty`: the number of latest tokens that it considers; "
            "the default is all."
        ),
    )
    xtc_probability: Share | None = Field(
        None,
        description=(
            "llama.cpp's and mlx-lm's. 0 to 1: probability of removing all tokens above `xtc_threshold` "
            "except the least likely of them, which makes answers less predictable. The default is 0."
        ),
    )
    xtc_threshold: Share | None = Field(
        None,
        description=(
            "With `xtc_probability`: the minimum probability of the tokens that it removes. The default "
            "is 0.1."
        ),
    )
    dry_multiplier: Annotated[float, Field(ge=0, le=100)] | None = Field(
        None,
        description=(
            "llama.cpp's. Above 0: penalises a token that would continue a repeated sequence, by this "
            "value times `dry_base` to the power of the sequence's length. The default is 0."
        ),
    )
    dry_base: Annotated[float, Field(ge=1, le=8)] | None = Field(None, description="The default is 1.75.")
    dry_allowed_length: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="Sequences up to this length are not penalised. The default is 2."
    )
    dry_penalty_last_n: Window = Field(
        None, description="The number of latest tokens that are searched; the default, -1, is all."
    )
    dry_sequence_breakers: (
        Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)] | None
    ) = Field(None, description='Texts that break a sequence. The default is a line break, `:`, `"`, `*`.')
    min_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None, description="vLLM's. Minimum number of tokens in the answer."
    )
    ignore_eos: bool | None = Field(
        None,
        description=(
            "Not OpenAI's. `true` ignores the model's end tokens and generates until `max_tokens`, for "
            "benchmarks."
        ),
    )
    stop_token_ids: Annotated[list[TokenId], Field(max_length=256)] | None = Field(
        None, description="vLLM's. These tokens also end the answer; they are not part of its text."
    )
    allowed_token_ids: Annotated[list[TokenId], Field(min_length=1, max_length=4096)] | None = Field(
        None, description="vLLM's. The only tokens that the answer may contain, besides those that end it."
    )
    bad_words: (
        Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=256)] | None
    ) = Field(None, description="vLLM's. Texts that the answer must not contain.")
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = Field(
        None,
        description=(
            "A 64-bit integer. The same request with the same seed samples the same tokens, even in a "
            "batch with other requests. With `n` above 1, each further answer uses the next seed."
        ),
    )
    stop: Stop | None = Field(
        None,
        description=(
            "A string, or up to 64 strings, of at most 500 characters; the text ends before the first "
            "one that occurs. Empty strings have no effect."
        ),
    )

    @property
    def sampling(self) -> Sampling:
        temperature = None if self.temperature is None else self.temperature + 0.0  # -0.0 is 0
        return Sampling(
            temperature=temperature,
            top_p=_SMALLEST_SHARE if self.top_p == 0 else self.top_p,
            top_k=0 if self.top_k == -1 else self.top_k,
            min_p=self.min_p,
            seed=self.seed,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
            repetition_penalty=self.repetition_penalty,
            repetition_window=self.repetition_window,
            xtc_probability=self.xtc_probability or 0.0,
            xtc_threshold=0.1 if self.xtc_threshold is None else self.xtc_threshold,
            **self._dry,
            logit_bias=tuple((key, bias) for key, bias in self._biases if isinstance(key, int)),
            text_bias=tuple((key, bias) for key, bias in self._biases if isinstance(key, str)),
        )

    @property
    def _biases(self) -> list[tuple[int | str, float]]:
        return [(key, bias) for key, bias in pairs_of(self.logit_bias) if bias is not NEVER]

    @property
    def _dry(self) -> dict[str, Any]:
        """The fields of DRY that were sent, by their names in Sampling."""
        last, breakers = self.dry_penalty_last_n, self.dry_sequence_breakers
        sent = {
            "dry_multiplier": self.dry_multiplier,
            "dry_base": self.dry_base,
            "dry_allowed_length": self.dry_allowed_length,
            "dry_window": last,
            "dry_breakers": None if breakers is None else tuple(breakers),
        }
        return {name: value for name, value in sent.items() if value is not None}

    @property
    def rules(self) -> TokenRules:
        never = [key for key, bias in pairs_of(self.logit_bias) if bias is NEVER]
        return TokenRules(
            banned_ids=tuple(key for key in never if isinstance(key, int)),
            banned_texts=tuple(key for key in never if isinstance(key, str)),
            min_tokens=self.min_tokens or 0,
            stop_ids=tuple(self.stop_token_ids or ()),
            allowed_ids=tuple(self.allowed_token_ids or ()),
            bad_words=tuple(self.bad_words or ()),
        )

    @property
    def stop_texts(self) -> tuple[str, ...]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in stops if stop)


class Generation(SampledBody):
    """The fields that both older endpoints share."""

    aliases = other_servers.ALIASES

    n: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None, description="The number of answers, 1 to 8, computed together after one prefill."
    )
    stream: bool | None = Field(None, description="`true` for server-sent events.")
    stream_options: StreamOptions | None = Field(None, description="Only in a stream.")
    user: Label | None = Field(
        None,
        description=(
            "The id of the end user: recorded with the request's span. Cached prefixes are shared only "
            "between requests with the same id."
        ),
    )
    timings: bool | None = Field(
        None,
        description=(
            "llama.cpp's. `true` adds `timings`: tokens and milliseconds of prompt and answer, in the "
            "complete response or in the last chunk."
        ),
    )
    return_progress: bool | None = Field(
        None,
        description=(
            "llama.cpp's. `true` adds chunks with `prompt_progress` during prefill: `total`, `cache` "
            "and `processed` tokens and `time_ms`. Only in a stream."
        ),
    )

    @model_validator(mode="after")
    def _check_stream_options(self) -> Self:
        if self.stream_options and not self.stream:
            raise wrong("no_stream", "It is only allowed together with stream: true", "stream_options")
        if self.return_progress and not self.stream:
            raise wrong("no_stream", "It is only allowed together with stream: true", "return_progress")
        return self

    @property
    def extras(self) -> frozenset[Extra]:
        """What an answer has besides its choices."""
        options = self.stream_options or StreamOptions()
        wanted: dict[Extra, bool | None] = {
            "usage": options.include_usage,
            "usage_so_far": options.continuous_usage_stats,
            "timings": self.timings,
            "progress": self.return_progress,
        }
        return frozenset(extra for extra, is_wanted in wanted.items() if is_wanted)
