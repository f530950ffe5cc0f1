"""The bodies of POST /api/embed and of the older POST /api/embeddings."""

from typing import Annotated

from pydantic import Field, Tag

from inference.api.http.strict_schema import Body, either
from inference.api.ollama.schemas.answering import MODEL, ModelName
from inference.api.openai.schemas.embedding import MOST_INPUTS
from inference.core.requests import EmbeddingRequest

_NOTED = {
    "keep_alive": "the server decides when a model is unloaded.",
    "options": "nothing is drawn, and the server decides about memory and threads.",
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
        description="A string, or up to 2,048; each gets a vector. Nothing at all loads the model."
    )
    truncate: bool | None = Field(
        None,
        description="`true`, the default, cuts what is longer than the model's context at its end; `false` "
        "has it refused.",
    )
    dimensions: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None, description="1 to what the model has: only so many numbers of each vector; 0 for all."
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
    prompt: str | None = Field(None, description="The text; without one, the model is loaded.")

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.prompt,) if self.prompt else ()

    def request(self, model: str) -> EmbeddingRequest:
        return EmbeddingRequest(model=model, inputs=self.texts)
