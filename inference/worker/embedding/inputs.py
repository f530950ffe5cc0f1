"""From a request for embeddings to rows of token ids, checked against the loaded model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.core.errors import ContextLengthExceeded, InvalidValue
from inference.core.protocol import MAX_FRAME_BYTES
from inference.core.requests import EmbeddingRequest, Prompt
from inference.worker.embedding import token_ids

if TYPE_CHECKING:
    from inference.worker.model.loaded_model import LoadedModel

MOST_TOKENS = 300_000  # in one request, as OpenAI has it
# Tokenizing megabytes takes seconds, so bytes are limited. They give no lower bound of the tokens: BERT drops
# spaces and makes one token of an unknown word, however long.
_MOST_BYTES_PER_TOKEN = 64
_MOST_BYTES = 16 * MOST_TOKENS


@dataclass(frozen=True)
class Inputs:
    """The inputs of one request; their vectors are cut to `dimensions` where it is given.

    A reranker's rows are pairs: they have the segment of each token, and the number of documents cut.
    """

    id: int
    rows: tuple[tuple[int, ...], ...]
    dimensions: int | None = None
    segments: tuple[tuple[int, ...], ...] = ()
    cut: int = 0
    cut_tokens: int = 0  # that were cut off the beginnings of the inputs


def read(request: EmbeddingRequest, model: "LoadedModel", number: int) -> Inputs:
    """The inputs of a request as token ids.

    Raises InvalidValue or ContextLengthExceeded, naming the field at fault.
    """
    if not model.pooling or model.pooling.reranks:
        raise InvalidValue("This model does not compute embeddings; use an embedding model.", param="model")
    dimensions = _dimensions(request, model)
    _check_bytes(request, model)
    limit = model.context_length if request.input_limit == -1 else request.input_limit
    given = tuple(_rows(request, model, limit))
    rows = tuple(row for row, _ in given)
    if (total := sum(map(len, rows))) > MOST_TOKENS:
        raise InvalidValue(
            f"The inputs have {total} tokens; one request may have {MOST_TOKENS}. Send several.",
            param="input",
        )
    return Inputs(number, rows, dimensions, cut_tokens=sum(cut for _, cut in given))


def tokens_of(text: Prompt, model: "LoadedModel", most: int | None = None) -> tuple[int, ...]:
    """The token ids of one input: given ids unchanged, a text with the special tokens of its tokenizer.

    More than `most` of them are cut at the end.
    """
    if not isinstance(text, str):
        return text[:most]
    if most is not None:
        text = text[: _MOST_BYTES_PER_TOKEN * most]
    return tuple(model.tokenizer.encode_whole(text, most))


def _last_of(given: Prompt, row: tuple[int, ...], model: "LoadedModel", most: int | None) -> tuple[int, ...]:
    """The last `most` tokens of a row, with the special tokens around it if it was a text."""
    if most is None or len(row) <= most:
        return row
    before, after = model.tokenizer.frame if isinstance(given, str) else ((), ())
    left = most - len(before) - len(after)
    if left < 1:
        raise InvalidValue(
            f"The tokens around a text are {most - left}; more have to be left.",
            param="truncate_prompt_tokens",
        )
    return (*before, *row[len(before) : len(row) - len(after)][-left:], *after)


def _rows(
    request: EmbeddingRequest, model: "LoadedModel", limit: int | None
) -> Iterator[tuple[tuple[int, ...], int]]:
    """The token ids of each input, and how many were cut off its beginning."""
    context = model.context_length
    for index, given in enumerate(request.inputs):
        whole = tokens_of(given, model, context if request.truncates else None)
        row = _last_of(given, whole, model, limit)
        name = f"Input {index}" if len(request.inputs) > 1 else "The input"
        if not row:
            raise InvalidValue(f"{name} is empty.", param="input")
        if len(row) > context:
            raise ContextLengthExceeded(
                f"{name} has {len(row)} tokens, and this model takes {context}. Shorten it.", param="input"
            )
        if not isinstance(given, str):
            token_ids.check(row, model.tokenizer, model.vocab_size)
        _check_vocabulary(row, model)
        yield row, len(whole) - len(row)


def _check_vocabulary(row: tuple[int, ...], model: "LoadedModel") -> None:
    # MLX does not check bounds: an id beyond the embedding reads foreign memory.
    unknown = next((token for token in row if not 0 <= token < model.vocab_size), None)
    if unknown is not None:
        raise InvalidValue(
            f"This model has no token {unknown}; its ids end at {model.vocab_size - 1}.", param="input"
        )


def _dimensions(request: EmbeddingRequest, model: "LoadedModel") -> int | None:
    wanted = request.dimensions
    if wanted is not None and wanted > model.vector_size:
        raise InvalidValue(f"This model's vectors have {model.vector_size} dimensions.", param="dimensions")
    most = MAX_FRAME_BYTES // 2 // (4 * (wanted or model.vector_size))
    if len(request.inputs) > most:
        raise InvalidValue(f"One request may ask for {most} vectors of this length.", param="input")
    return wanted


def _check_bytes(request: EmbeddingRequest, model: "LoadedModel") -> None:
    sizes = [len(text.encode()) for text in request.inputs if isinstance(text, str)]
    most = _MOST_BYTES_PER_TOKEN * model.context_length
    if sizes and max(sizes) > most and not request.truncates and request.input_limit is None:
        raise ContextLengthExceeded(
            f"An input has {max(sizes)} bytes; a model that takes {model.context_length} tokens is given "
            f"{most} at most. Shorten it.",
            param="input",
        )
    if sum(sizes) > _MOST_BYTES:
        raise InvalidValue(
            f"The inputs have {sum(sizes)} bytes; one request may have {_MOST_BYTES}. Send several.",
            param="input",
        )
