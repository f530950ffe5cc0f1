"""The body of POST /v1/embeddings."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from inference.api.http.strict_schema import Body
from inference.api.openai.schemas.generation import Label
from inference.api.openai.schemas.prompts import ONE_OR_SEVERAL, OnePrompt, Text, Tokens, listed
from inference.core.requests import EmbeddingRequest

MOST_INPUTS = 2048  # OpenAI's own limit


Inputs = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[Tokens, Tag("<tokens>")]
    | Annotated[list[OnePrompt], Field(min_length=1, max_length=MOST_INPUTS), Tag("<list>")],
    ONE_OR_SEVERAL,
]


class EmbeddingBody(Body):
    """The body of POST /v1/embeddings."""

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The id of an embedding model, or one of its aliases."
    )
    input: Inputs = Field(
        description=(
            "A string, or a list of token ids, not empty; or a list of up to 2,048 of these. Each gets a "
            "vector; one that is longer than the model's context is refused, never cut."
        )
    )
    encoding_format: Literal["float", "base64"] | None = Field(
        None,
        description="`float` (the default) for numbers, `base64` for little-endian 32-bit floats.",
    )
    dimensions: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "1 to what the model has: only so many numbers of each vector, brought back to a length of 1. "
            "For models that were trained for it (Qwen3-Embedding)."
        ),
    )
    user: Label | None = Field(
        None, description="Who asks, in your own words: recorded with the request's span."
    )

    def request(self) -> EmbeddingRequest:
        return EmbeddingRequest(
            model=self.model,
            inputs=listed(self.input),
            dimensions=self.dimensions,
            user=self.user or "",
        )
