"""The body of POST /v1/rerank, as Cohere's and Jina's clients send it.

Sources: https://docs.cohere.com/reference/rerank (v1 and v2) and https://jina.ai/reranker.
"""

from typing import Annotated

from pydantic import Field, Tag

from inference.api.http.strict_schema import Body, Part, Refused, either
from inference.api.openai.schemas.shared_fields import Asker
from inference.core.requests import RerankRequest

MOST_DOCUMENTS = 2048
DEFAULT_MAX_TOKENS = 4096  # of a document, as Cohere has it
_ORDER = "requests are served in order of arrival."


class RerankDocument(Part):
    """A document as an object."""

    text: str = Field(description="The text.")


Document = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[RerankDocument, Tag("<object>")],
    either({"<text>": str, "<object>": dict}, "a string, or an object with a text"),
]


class RerankBody(Body):
    """The body of POST /v1/rerank."""

    refused = {
        "max_chunks_per_doc": Refused("documents are not split into chunks; send `max_tokens_per_doc`."),
        "return_embeddings": Refused("use an embedding model at /v1/embeddings.", (False,)),
        "truncate_prompt_tokens": Refused("use `max_tokens_per_doc` to truncate documents.", (-1,)),
        "truncation": Refused("documents are always truncated to the model's context.", (True,)),
    }
    noted = {
        "priority": _ORDER,
        "rank_fields": "only the text of a document is scored.",
    }
    aliases = {"max_doc_length": "max_tokens_per_doc", "top_k": "top_n"}

    model: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The id of a reranker, or one of its aliases."
    )
    query: Annotated[str, Field(min_length=1)] = Field(
        description="The query that the documents are scored for."
    )
    documents: Annotated[list[Document], Field(min_length=1, max_length=MOST_DOCUMENTS)] = Field(
        description="1 to 2,048 documents: strings, or objects with a `text`."
    )
    top_n: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="The number of results, best first; the default is all."
    )
    return_documents: bool | None = Field(
        None, description="`true` returns the document with each result; the default is `false`."
    )
    max_tokens_per_doc: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "Longer documents are truncated; the default is 4,096, or the model's context minus the query."
        ),
    )
    user: Asker = None

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(one if isinstance(one, str) else one.text for one in self.documents)

    def request(self) -> RerankRequest:
        return RerankRequest(
            model=self.model,
            query=self.query,
            documents=self.texts,
            max_tokens_per_document=self.max_tokens_per_doc or DEFAULT_MAX_TOKENS,
            user=self.user or "",
        )
