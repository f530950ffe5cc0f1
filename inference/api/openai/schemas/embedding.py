"""The body of POST /v1/embeddings."""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Body, Refused, either, unless, wrong
from inference.api.openai.schemas.prompts import ONE_OR_SEVERAL, OnePrompt, Text, Tokens, listed
from inference.api.openai.schemas.shared_fields import Asker
from inference.api.openai.schemas.token_fields import PromptLimit
from inference.core.requests import EmbeddingRequest

MOST_INPUTS = 2048  # OpenAI's own limit


Inputs = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[Tokens, Tag("<tokens>")]
    | Annotated[list[OnePrompt], Field(min_length=1, max_length=MOST_INPUTS), Tag("<list>")],
    ONE_OR_SEVERAL,
]


_PREFIX = "put the prefix that the model's page specifies, such as `query: `, before the text."
_ENDS = unless("START", why="a text is cut at its end.")
Truncate = Annotated[
    Annotated[bool, Tag("<switch>")] | Annotated[Literal["NONE", "END"], _ENDS, Tag("<word>")],
    either({"<switch>": bool, "<word>": str}, "true, false, 'NONE' or 'END'"),
]


class EmbeddingBody(Body):
    """The body of POST /v1/embeddings."""

    refused = {
        "embedding_type": Refused("use `encoding_format` with `float` or `base64`.", ("float",)),
        "input_type": Refused(_PREFIX),
        "late_chunking": Refused("each input is a separate text.", (False,)),
        "output_dtype": Refused("vectors are always 32-bit floats.", ("float",)),
        "prompt_name": Refused(_PREFIX),
        "task": Refused(_PREFIX),
    }
    noted = {"priority": "requests are served in order of arrival."}
    aliases = {"output_dimension": "dimensions"}

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The id of an embedding model, or one of its aliases."
    )
    input: Inputs = Field(
        description=(
            "A string, or a list of token ids, not empty; or a list of up to 2,048 of these. Each "
            "becomes one vector. An input longer than the model's context is refused, unless `truncate` "
            "is set. Ids from another tokenizer are refused if the server can detect them."
        )
    )
    encoding_format: (
        Annotated[
            Literal["float", "base64"],
            unless(
                "binary", "ubinary", "int8", "uint8", why="vectors are 32-bit floats: `float` or `base64`."
            ),
        ]
        | None
    ) = Field(
        None,
        description="`float` (the default) for a list of numbers, `base64` for little-endian 32-bit floats.",
    )
    dimensions: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "Truncates each vector to this number of values, from 1 to the model's size, and normalises "
            "it to a length of 1. For models trained for this (Qwen3-Embedding)."
        ),
    )
    truncate: Truncate | None = Field(
        None,
        description=(
            "Not OpenAI's. `true` or `END` truncates a text that is longer than the model's context; "
            "`false` or `NONE`, the default, refuses it."
        ),
    )
    truncate_prompt_tokens: PromptLimit | None = Field(
        None,
        description=(
            "vLLM's. 1 or more: truncates the input to this number of last tokens, including special "
            "tokens. -1: truncates it to the context. The header `x-mlx-truncated-tokens` has the number of "
            "removed tokens."
        ),
    )
    user: Asker = None

    @model_validator(mode="after")
    def _check_truncation(self) -> Self:
        if self.truncates and self.truncate_prompt_tokens is not None:
            raise wrong("two_ends", "It is not allowed together with truncate", "truncate_prompt_tokens")
        return self

    @property
    def truncates(self) -> bool:
        return self.truncate in (True, "END")

    def request(self) -> EmbeddingRequest:
        return EmbeddingRequest(
            model=self.model,
            inputs=listed(self.input),
            dimensions=self.dimensions,
            truncates=self.truncates,
            input_limit=self.truncate_prompt_tokens,
            user=self.user or "",
        )
