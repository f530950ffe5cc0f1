"""What clients may send: every field is enforced here or refused, never accepted and ignored.

`not_yet` lists the fields of OpenAI's schema that this server does not do yet, each with the values that
ask for nothing and are therefore honoured. `null` always asks for nothing.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from inference.requests import ChatRequest, CompletionRequest, Message, Sampling

UNSUPPORTED = "unsupported_parameter"
COMPLETION_DEFAULT_MAX_TOKENS = 16  # OpenAI's, for the legacy endpoint alone

NotYet = Mapping[str, tuple[Any, ...]]


class Strict(BaseModel):
    """An object of which every field is known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    not_yet: ClassVar[NotYet] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_would_be_ignored(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        for name in data.keys() - cls.model_fields.keys():
            cls._refuse_unless_it_asks_for_nothing(name, data[name])
        return {name: value for name, value in data.items() if name in cls.model_fields}

    @classmethod
    def _refuse_unless_it_asks_for_nothing(cls, name: str, value: Any) -> None:
        if name in cls.not_yet:
            # 1 == True in Python, and `n: true` is no number.
            if value is None or any(
                type(value) is type(same) and value == same for same in cls.not_yet[name]
            ):
                return
            raise PydanticCustomError(UNSUPPORTED, "<field> is not supported yet.", {"field": name})
        close = get_close_matches(name[:64], cls.model_fields, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise PydanticCustomError(
            UNSUPPORTED, f"<field> is not a field of this endpoint.{hint}", {"field": name[:64]}
        )


def _unless(*values: str) -> BeforeValidator:
    """Refuse values that are OpenAI's but not ours yet with their own code."""

    def check(value: Any) -> Any:
        if value in values:
            raise PydanticCustomError(UNSUPPORTED, f"<field>: {value!r} is not supported yet.")
        return value

    return BeforeValidator(check)


def _is_text(value: Any) -> str | None:
    return "<text>" if isinstance(value, str) else "<list>" if isinstance(value, list) else None


def _either(wanted: str) -> Discriminator:
    return Discriminator(
        _is_text, custom_error_type="string_or_list", custom_error_message=f"It must be {wanted}"
    )


class TextPart(Strict):
    """A piece of a message's content."""

    not_yet = {"image_url": (), "input_audio": (), "file": (), "refusal": (), "prompt_cache_breakpoint": ()}

    type: Annotated[Literal["text"], _unless("image_url", "input_audio", "file", "refusal")]
    text: str


Parts = Annotated[list[TextPart], Field(min_length=1)]
Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[Parts, Tag("<list>")],
    _either("a string or a list of text parts"),
]


class ChatMessage(Strict):
    not_yet = {
        "name": (),
        "refusal": (),
        "annotations": ([],),
        "audio": (),
        "tool_calls": ([],),
        "tool_call_id": (),
        "function_call": (),
        "reasoning_content": (),
    }

    role: Annotated[Literal["system", "developer", "user", "assistant"], _unless("tool", "function")]
    content: Content

    def message(self) -> Message:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message(role="system" if self.role == "developer" else self.role, content=text)


class StreamOptions(Strict):
    not_yet = {"include_obfuscation": (False,)}

    include_usage: bool | None = None


StopText = Annotated[str, Field(min_length=1, max_length=500)]
StopTexts = Annotated[list[StopText], Field(min_length=1, max_length=4)]
Stop = Annotated[
    Annotated[StopText, Tag("<text>")] | Annotated[StopTexts, Tag("<list>")],
    _either("a string or 1 to 4 strings"),
]
TokenId = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]  # JSON's keys are strings
LogitBias = Annotated[dict[TokenId, Annotated[float, Field(ge=-100, le=100)]], Field(max_length=1024)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
TokenCount = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Generation(Strict):
    """The fields that both endpoints share."""

    model: Annotated[str, Field(min_length=1, max_length=256)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    logit_bias: LogitBias | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    max_tokens: TokenCount | None = None
    stop: Stop | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @model_validator(mode="after")
    def _options_need_a_stream(self) -> Self:
        if self.stream_options and not self.stream:
            raise PydanticCustomError(
                "no_stream", "It is only allowed together with stream: true", {"field": "stream_options"}
            )
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


class ChatCompletionBody(Generation):
    """The body of POST /v1/chat/completions."""

    not_yet = {
        "audio": (),
        "function_call": ("none",),
        "functions": ([],),
        "metadata": ({},),
        "modalities": (["text"],),
        "moderation": (),
        "n": (1,),
        "parallel_tool_calls": (),
        "prediction": (),
        "prompt_cache_key": (),
        "prompt_cache_options": (),
        "prompt_cache_retention": (),
        "reasoning_effort": (),
        "response_format": ({"type": "text"},),
        "safety_identifier": (),
        "service_tier": (),
        "store": (False,),
        "tool_choice": ("none",),
        "tools": ([],),
        "user": (),
        "verbosity": (),
        "web_search_options": (),
    }

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_completion_tokens: TokenCount | None = None

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if (
            None not in (self.max_tokens, self.max_completion_tokens)
            and self.max_tokens != self.max_completion_tokens
        ):
            raise PydanticCustomError(
                "lengths_differ",
                "It differs from max_tokens, its older name; send one of the two",
                {"field": "max_completion_tokens"},
            )
        return self

    @model_validator(mode="after")
    def _alternatives_need_logprobs(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise PydanticCustomError(
                "no_logprobs", "It is only allowed together with logprobs: true", {"field": "top_logprobs"}
            )
        return self

    def request(self) -> ChatRequest:
        return ChatRequest(
            model=self.model,
            messages=tuple(message.message() for message in self.messages),
            sampling=self.sampling,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=self.stop_texts,
            logprobs=(self.top_logprobs or 0) if self.logprobs else None,
        )


def _one_prompt(value: Any) -> Any:
    is_one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    if isinstance(value, list) and not is_one:
        raise PydanticCustomError(
            UNSUPPORTED, "<field>: several prompts, or tokens, are not supported yet; send one string."
        )
    return value[0] if is_one else value


class CompletionBody(Generation):
    """The body of POST /v1/completions."""

    not_yet = {
        "best_of": (1,),
        "n": (1,),
        "suffix": (),
        "user": (),
    }

    prompt: Annotated[str, Field(min_length=1), BeforeValidator(_one_prompt)]
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None

    @model_validator(mode="after")
    def _an_echo_has_no_logprobs_yet(self) -> Self:
        if self.echo and self.logprobs is not None:
            raise PydanticCustomError(
                UNSUPPORTED,
                "<field>: those of an echoed prompt are not supported yet.",
                {"field": "logprobs"},
            )
        return self

    def request(self) -> CompletionRequest:
        return CompletionRequest(
            model=self.model,
            prompts=(self.prompt,),
            echo=bool(self.echo),
            sampling=self.sampling,
            max_tokens=self.max_tokens or COMPLETION_DEFAULT_MAX_TOKENS,
            stop=self.stop_texts,
            logprobs=self.logprobs,
        )
