"""The bodies of POST /api/embed and of the older POST /api/embeddings."""

from typing import Annotated

from pydantic import Field, Tag

from inference.api.http.strict_schema import Body, either
from inference.api.ollama.schemas.answering import MODEL, ModelName
from inference.api.openai.schemas.embedding import MOST_INPUTS
from inference.core.requests import EmbeddingRequest

_NOTED = {
    "keep_alive": "the server decides when a model is unloaded.",
    "options": "embeddings need no sampling, and the server manages memory and threads.",
}
Texts = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[str], Field(max_length=MOST_INPUTS), Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of strings"),
]


class EmbedBody(Body):
    """The body of POST /api/embed."""

    noted = _NOTED

    model: ModelName = Field(description=MODEL)
    input: Texts = Field(
        description=(
            "A string, or up to 2,048 strings; each becomes one vector. An empty input only loads the model."
        )
    )
    truncate: bool | None = Field(
        None,
        description=(
            "`true`, the default, truncates a text that is longer than the model's context; `false` refuses "
            "it."
        ),
    )
    dimensions: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "Truncates each vector to this number of values, from 1 to the model's size; 0 for all."
        ),
    )

    @property
    def texts(self) -> tuple[str, ...]:
        if isinstance(self.input, str):
            return (self.input,) if self.input else ()
        return tuple(self.input)

    def request(self, model: str) -> EmbeddingRequest:
        return EmbeddingRequest(
            model=model,
            inputs=self.texts,
            dimensions=self.dimensions or None,
            truncates=self.truncate is not False,
        )


class OldEmbeddingBody(Body):
    """The body of POST /api/embeddings."""

    noted = _NOTED

    model: ModelName = Field(description=MODEL)
    prompt: str | None = Field(None, description="The text; an empty one only loads the model.")

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.prompt,) if self.prompt else ()

    def request(self, model: str) -> EmbeddingRequest:
        return EmbeddingRequest(model=model, inputs=self.texts)
