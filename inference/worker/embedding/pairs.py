"""From a request for scores to rows of token ids: each document beside the query."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from inference.core.errors import ContextLengthExceeded, InvalidValue
from inference.core.requests import RerankRequest
from inference.worker.embedding.inputs import Inputs
from inference.worker.model import judge_prompt
from inference.worker.model.tokenizer import TokenPair

if TYPE_CHECKING:
    from inference.worker.model.loaded_model import LoadedModel

MOST_TOKENS = 1_000_000  # in one request
_MOST_CHARACTERS_PER_TOKEN = 64  # what is longer is cut before it is tokenised


def read(request: RerankRequest, model: "LoadedModel", number: int) -> Inputs:
    """Raises a ServerError that names the wrong field."""
    if not model.pooling or not model.pooling.reranks:
        raise InvalidValue("This model does not score documents; use a reranker.", param="model")
    _check_query(request.query, model)
    pairs = list(_judged(request, model) if model.pooling.reranks == "judge" else _paired(request, model))
    if (total := sum(len(pair.ids) for pair in pairs)) > MOST_TOKENS:
        raise InvalidValue(
            f"The pairs have {total} tokens; one request may have {MOST_TOKENS}. Send several.",
            param="documents",
        )
    return Inputs(
        number,
        tuple(pair.ids for pair in pairs),
        segments=tuple(pair.segments for pair in pairs),
        cut=sum(pair.is_cut for pair in pairs),
    )


def _paired(request: RerankRequest, model: "LoadedModel") -> Iterator[TokenPair]:
    """A cross-encoder's rows: query and document with the tokenizer's own marks."""
    most = _room(request, model, model.tokenizer.pair_overhead(request.query))
    for document in request.documents:
        yield model.tokenizer.encode_pair(request.query, _shortened(document, most), most)


def _judged(request: RerankRequest, model: "LoadedModel") -> Iterator[TokenPair]:
    """Qwen3-Reranker's rows: a question and the beginning of its answer."""
    tokenizer = model.tokenizer
    before, after = judge_prompt.frame(tokenizer)
    question = judge_prompt.question(tokenizer, request.query)
    # The blank before the document is a part of the document's first token.
    question_tokens = len(tokenizer.encode(question.rstrip()))
    most = _room(request, model, len(before) + question_tokens + len(after))
    for document in request.documents:
        body = tokenizer.encode(question + tokenizer.quote(_shortened(document, most)))
        ids = (*before, *body[: question_tokens + most], *after)
        yield TokenPair(ids, (0,) * len(ids), is_cut=len(body) > question_tokens + most)


def _room(request: RerankRequest, model: "LoadedModel", taken: int) -> int:
    """How many tokens a document may have beside the query."""
    left = model.context_length - taken
    if left < 1:
        raise ContextLengthExceeded(
            f"The query leaves no room for a document: this model takes {model.context_length} tokens. "
            "Shorten it.",
            param="query",
        )
    return min(left, request.max_tokens_per_document or left)


def _check_query(query: str, model: "LoadedModel") -> None:
    # Tokenising megabytes takes seconds, for which everybody else's prompts would wait.
    if len(query) > _MOST_CHARACTERS_PER_TOKEN * model.context_length:
        raise ContextLengthExceeded(
            f"The query has {len(query)} characters; this model takes {model.context_length} tokens.",
            param="query",
        )


def _shortened(text: str, most: int) -> str:
    return text[: _MOST_CHARACTERS_PER_TOKEN * (most + 1)]
