"""Texts becoming vectors, a bounded piece at a time: what an embedding model has in the place of a batch."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import numpy as np

from inference.repository.files.pooling import Pooling
from inference.worker.embedding.inputs import Inputs
from inference.worker.model.encoders import Encoder

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Vectors:
    """A request's vectors, in the order of its inputs: little-endian 32-bit floats."""

    id: int
    vectors: tuple[bytes, ...]


@dataclass(eq=False)
class Work:
    """One request: which of its rows are still to be begun, and the vectors of those that are done."""

    inputs: Inputs
    waiting: list[int] = field(init=False)  # the next one last
    done: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The longest first, and beside each other those that need little padding.
        self.waiting = sorted(range(len(self.inputs.rows)), key=lambda place: len(self.inputs.rows[place]))


@dataclass(eq=False)
class EmbeddingChunk:
    """Rows that are computed together, `done` tokens of each so far."""

    rows: list[tuple[Work, int]]
    tokens: np.ndarray[Any, np.dtype[np.int32]]
    lengths: np.ndarray[Any, np.dtype[np.int32]]
    cache: list[Any]
    done: int = 0
    pooled: mx.array | None = None

    @classmethod
    def of(cls, rows: list[tuple[Work, int]], cache: list[Any]) -> "EmbeddingChunk":
        ids = [work.inputs.rows[place] for work, place in rows]
        lengths = np.array([len(row) for row in ids], np.int32)
        tokens = np.zeros((len(ids), lengths.max()), np.int32)
        for padded, row in zip(tokens, ids, strict=True):
            padded[: len(row)] = row
        return cls(rows, tokens, lengths, cache)

    @property
    def is_done(self) -> bool:
        return self.done >= int(self.tokens.shape[1])


class EmbeddingBatch:
    """All requests of one embedding model, stepped together. Made, used and dropped on one thread."""

    def __init__(self, model: Encoder, pooling: Pooling, *, step: int) -> None:
        self._model = model
        self._pooling = pooling
        self._step = step
        self._works: dict[int, Work] = {}
        self._turns: deque[Work] = deque()  # who has rows waiting, in turn
        self._piece: EmbeddingChunk | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self._works)

    @property
    def ids(self) -> list[int]:
        return list(self._works)

    @property
    def kv_bytes(self) -> int:
        return sum(int(layer.nbytes) for layer in self._piece.cache) if self._piece else 0

    @property
    def unfinished(self) -> list[Inputs]:
        return [work.inputs for work in self._works.values()]

    def add(self, *inputs: Inputs) -> None:
        for one in inputs:
            self._works[one.id] = work = Work(one)
            self._turns.append(work)

    def remove(self, number: int) -> None:
        """Drop a request; unknown ids have ended already. What is computed for nobody ends with its step."""
        work = self._works.pop(number, None)
        if work and work in self._turns:
            self._turns.remove(work)
        if self._piece and not any(work.inputs.id in self._works for work, _ in self._piece.rows):
            self._piece = None

    def step(self) -> Iterator[Vectors]:
        """Compute at most one chunk of tokens; the vectors of the requests that are complete with it."""
        piece = self._piece or self._next_piece()
        if piece is None:
            return
        self._piece = piece
        self._compute(piece)
        if not piece.is_done:
            return
        self._piece = None
        for (work, place), vector in zip(piece.rows, self._vectors(piece), strict=True):
            work.done[place] = self._cut(vector, work.inputs.dimensions)
            if len(work.done) == len(work.inputs.rows) and work is self._works.pop(work.inputs.id, None):
                yield Vectors(work.inputs.id, tuple(work.done[place] for place in range(len(work.done))))

    def _next_piece(self) -> EmbeddingChunk | None:
        """Rows of those who wait, in turn, that padded are no more than a step."""
        rows: list[tuple[Work, int]] = []
        longest = 0
        while self._turns:
            work = self._turns[0]
            longest = max(longest, len(work.inputs.rows[work.waiting[-1]]))
            if rows and longest * (len(rows) + 1) > self._step:
                break
            rows.append((work, work.waiting.pop()))
            self._turns.rotate(-1) if work.waiting else self._turns.popleft()
        return EmbeddingChunk.of(rows, self._model.new_cache()) if rows else None

    def _compute(self, piece: EmbeddingChunk) -> None:
        """Take the piece a chunk further: every way of pooling is a weighted sum of hidden states."""
        end = min(piece.done + self._step, piece.tokens.shape[1])
        if not self._model.can_go_on:
            end = piece.tokens.shape[1]
        weights = self._weights(piece, np.arange(piece.done, end))
        tokens, lengths = mx.array(piece.tokens[:, piece.done : end]), mx.array(piece.lengths)
        hidden = self._model.encode(tokens, lengths, piece.cache)
        sums = (mx.array(weights)[:, None] @ hidden.astype(mx.float32))[:, 0]
        piece.pooled = sums if piece.pooled is None else piece.pooled + sums
        piece.done = end
        mx.eval(piece.pooled, [layer.state for layer in piece.cache])

    def _weights(self, piece: EmbeddingChunk, places: "np.ndarray[Any, Any]") -> Floats:
        """What each place counts in its row's vector, (rows, places); padding counts nothing."""
        lengths = piece.lengths[:, None]
        match self._pooling.mode:
            case "mean":
                weights = (places < lengths) / lengths
            case "cls":
                weights = np.broadcast_to(places == 0, (len(lengths), len(places)))
            case "last":
                weights = places == lengths - 1
        return weights.astype(np.float32)

    def _vectors(self, piece: EmbeddingChunk) -> Floats:
        found: Floats = np.array(piece.pooled)
        return _normalised(found) if self._pooling.normalises else found

    def _cut(self, vector: Floats, dimensions: int | None) -> bytes:
        if dimensions is not None and dimensions < len(vector):
            vector = _normalised(vector[:dimensions])
        return vector.astype("<f4").tobytes()


def _normalised(vectors: Floats) -> Floats:
    made: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return made
