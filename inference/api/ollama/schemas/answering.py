"""What the bodies of POST /api/chat and POST /api/generate have in common."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, Tag, model_validator

from inference.api.http.strict_schema import Body, Refused, either, unsupported, wrong
from inference.api.ollama.schemas.options import OPTION_NAMES, Options

ModelName = Annotated[str, Field(min_length=1, max_length=256)]
MODEL = "The model's id, or one of its aliases, with or without `:latest`."
_OF_IMAGES = "image generation is not supported."
Format = Annotated[
    Annotated[Literal["", "json"], Tag("<word>")] | Annotated[dict[str, Any], Tag("<schema>")],
    either({"<word>": str, "<schema>": dict}, "'json' or a JSON Schema"),
]
Think = Annotated[
    Annotated[bool, Tag("<switch>")] | Annotated[Literal["low", "medium", "high", "max"], Tag("<level>")],
    either({"<switch>": bool, "<level>": str}, "true, false, 'low', 'medium', 'high' or 'max'"),
]
# What the rest of the server calls the fields that this dialect calls otherwise.
_OWN_NAMES: Mapping[str, str] = {
    "reasoning_effort": "think",
    "response_format": "format",
    **{option: f"options.{name}" for option, name in OPTION_NAMES.items()},
}
_UNLOADS = frozenset({0, "0", "0s", "0m", "0h"})


class Answering(Body):
    """The fields that both endpoints share."""

    refused = {
        "_debug_render_only": Refused("use POST /v1/tokenize to get the prompt.", (False,)),
        "width": Refused(_OF_IMAGES),
        "height": Refused(_OF_IMAGES),
        "steps": Refused(_OF_IMAGES),
    }
    noted = {
        "keep_alive": "the server decides when a model is unloaded.",
        "shift": "the context is never shortened; an answer ends when it is full.",
        "truncate": "a prompt that does not fit is refused, never truncated.",
    }
    # The field without which a request asks only for a model to be loaded.
    asks_with: ClassVar[str]

    model: ModelName = Field(description=MODEL)
    stream: bool | None = Field(None, description="`false` for one JSON object; the default is a stream.")
    format: Format | None = Field(
        None, description="`json` for any JSON object, or a JSON Schema; enforced during decoding."
    )
    options: Options | None = Field(None, description="Sampling options.")
    think: Think | None = Field(
        None,
        description=(
            "Whether to reason, or how much; the default is the model's own. Reasoning is returned "
            "separately, as `thinking`."
        ),
    )
    logprobs: bool | None = Field(None, description="`true` returns the log probability of each token.")
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = Field(
        None,
        description=(
            "0 to 20, with `logprobs: true`: the number of most likely tokens to return at each position."
        ),
    )

    @model_validator(mode="wrap")
    @classmethod
    def _nothing_is_unloaded(cls, data: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict) and not data.get(cls.asks_with) and not data.get("suffix"):
            given = data.get("keep_alive")
            if isinstance(given, int | float | str) and given in _UNLOADS and given is not False:
                raise unsupported(
                    "<field> is not supported without a prompt: models are not unloaded here; POST "
                    "/api/models/unload of the server's own API does that, and its admin.",
                    "keep_alive",
                )
        return build(data)

    @model_validator(mode="after")
    def _check_logprobs(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise wrong("no_logprobs", "It is only allowed together with logprobs: true", "top_logprobs")
        return self

    @property
    def own_names(self) -> Mapping[str, str]:
        return {**super().own_names, **_OWN_NAMES}

    @property
    def is_stream(self) -> bool:
        return self.stream is not False

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of a ChatRequest or a CompletionRequest that say how it is answered."""
        options = self.options or Options()
        return {
            "sampling": options.sampling,
            "max_tokens": options.max_tokens,
            "stop": options.stop_texts,
            "logprobs": (self.top_logprobs or 0) if self.logprobs else None,
        }

    @property
    def chat_settings(self) -> dict[str, Any]:
        """Those of a ChatRequest."""
        return self.settings | {
            "schema": self.schema_text,
            "thinking": self.think if isinstance(self.think, bool) else None,
            "effort": self.think if isinstance(self.think, str) else "",
        }

    @property
    def schema_text(self) -> str:
        """JSON text of the schema to be enforced; empty for free text."""
        if isinstance(self.format, dict):
            return json.dumps(self.format)
        return '{"type":"object"}' if self.format else ""
