"""The body of POST /v1/detokenize."""

from typing import Annotated

from pydantic import Field

from inference.api.http.strict_schema import Body
from inference.api.openai.schemas.prompts import Tokens


class DetokenizeBody(Body):
    """The body of POST /v1/detokenize."""

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The model's id, or one of its aliases."
    )
    tokens: Tokens = Field(description="Token ids, at least one; unknown ids are refused.")
