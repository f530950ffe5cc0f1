"""The batch of an embedding model: texts become vectors, one bounded chunk of rows at a time.

A step computes a part of one chunk:

1. Without a chunk, take rows of the waiting requests in turn, longest first, as long as the padded chunk has
   at most `step` tokens: (R, L) int32 with the rows' lengths, (R,) int32.
2. Encode the next `step` tokens of each row: hidden states (R, C, size). Models that see the whole text at
   once encode all of them.
3. Add the pooled sum, (R, 1, C) weights times (R, C, size), to that of the earlier steps: (R, size) float32.
4. After the last part, normalise the vectors and cut them to the requested dimensions. A request is complete
   when all of its rows are.
"""

from collections import deque
from collections.abc import Iterator, Sequence
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
class PendingInputs:
    """One request: its rows that are not computed yet, and the vectors of the others."""

    inputs: Inputs
    waiting: list[int] = field(init=False)  # row numbers, the next one last
    done: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Longest first; rows of similar length need little padding.
        self.waiting = sorted(range(len(self.inputs.rows)), key=lambda index: len(self.inputs.rows[index]))


@dataclass(eq=False)
class EmbeddingChunk:
    """Rows that are computed together: tokens (R, L), lengths (R,), and `done` tokens of each so far."""

    rows: list[tuple[PendingInputs, int]]
    tokens: np.ndarray[Any, np.dtype[np.int32]]
    lengths: np.ndarray[Any, np.dtype[np.int32]]
    cache: list[Any]
    segments: np.ndarray[Any, np.dtype[np.int32]] | None = None  # (R, L), of a reranker's rows
    done: int = 0
    pooled: mx.array | None = None

    @classmethod
    def of(cls, rows: list[tuple[PendingInputs, int]], cache: list[Any]) -> "EmbeddingChunk":
        ids = [pending.inputs.rows[index] for pending, index in rows]
        segments = [pending.inputs.segments[index] for pending, index in rows if pending.inputs.segments]
        lengths = np.array([len(row) for row in ids], np.int32)
        return cls(rows, _padded(ids), lengths, cache, _padded(segments) if segments else None)

    @property
    def is_done(self) -> bool:
        return self.done >= int(self.tokens.shape[1])


class EmbeddingBatch:
    """All requests of one embedding model, stepped together. Made, used and dropped on one thread."""

    def __init__(self, model: Encoder, pooling: Pooling, *, step: int) -> None:
        self._model = model
        self._pooling = pooling
        self._step = step
        self._pending: dict[int, PendingInputs] = {}
        self._queue: deque[PendingInputs] = deque()  # requests with waiting rows, in turn
        self._chunk: EmbeddingChunk | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self._pending)

    @property
    def ids(self) -> list[int]:
        return list(self._pending)

    @property
    def kv_bytes(self) -> int:
        return sum(int(layer.nbytes) for layer in self._chunk.cache) if self._chunk else 0

    @property
    def unfinished(self) -> list[Inputs]:
        return [pending.inputs for pending in self._pending.values()]

    def add(self, *inputs: Inputs) -> None:
        for one in inputs:
            self._pending[one.id] = pending = PendingInputs(one)
            self._queue.append(pending)

    def remove(self, number: int) -> None:
        """Drop a request; unknown ids have ended already. A chunk without other requests is dropped, too."""
        pending = self._pending.pop(number, None)
        if pending and pending in self._queue:
            self._queue.remove(pending)
        if self._chunk and not any(pending.inputs.id in self._pending for pending, _ in self._chunk.rows):
            self._chunk = None

    def end_thinking(self, number: int) -> bool:
        """False: vectors have no reasoning."""
        return False

    def step(self) -> Iterator[Vectors]:
        """Compute one part of a chunk; yields the vectors of the requests that are complete with it."""
        chunk = self._chunk or self._next_chunk()
        if chunk is None:
            return
        self._chunk = chunk
        self._compute(chunk)
        if not chunk.is_done:
            return
        self._chunk = None
        for (pending, index), vector in zip(chunk.rows, self._vectors(chunk), strict=True):
            pending.done[index] = self._encoded(vector, pending.inputs.dimensions)
            if len(pending.done) == len(pending.inputs.rows) and pending is self._pending.pop(
                pending.inputs.id, None
            ):
                yield Vectors(
                    pending.inputs.id, tuple(pending.done[index] for index in range(len(pending.done)))
                )

    def _next_chunk(self) -> EmbeddingChunk | None:
        """The next rows of the waiting requests, in turn; padded they have at most `step` tokens."""
        rows: list[tuple[PendingInputs, int]] = []
        longest = 0
        while self._queue:
            pending = self._queue[0]
            longest = max(longest, len(pending.inputs.rows[pending.waiting[-1]]))
            if rows and longest * (len(rows) + 1) > self._step:
                break
            rows.append((pending, pending.waiting.pop()))
            self._queue.rotate(-1) if pending.waiting else self._queue.popleft()
        return EmbeddingChunk.of(rows, self._model.new_cache()) if rows else None

    def _compute(self, chunk: EmbeddingChunk) -> None:
        """Compute the next part of a chunk; each pooling mode is a weighted sum of hidden states."""
        end = min(chunk.done + self._step, chunk.tokens.shape[1])
        if not self._model.can_chunk:
            end = chunk.tokens.shape[1]
        weights = self._weights(chunk, np.arange(chunk.done, end))
        tokens, lengths = mx.array(chunk.tokens[:, chunk.done : end]), mx.array(chunk.lengths)
        segments = None if chunk.segments is None else mx.array(chunk.segments[:, chunk.done : end])
        hidden = self._model.encode(tokens, lengths, chunk.cache, segments)
        sums = (mx.array(weights)[:, None] @ hidden.astype(mx.float32))[:, 0]
        chunk.pooled = sums if chunk.pooled is None else chunk.pooled + sums
        chunk.done = end
        mx.eval(chunk.pooled, [layer.state for layer in chunk.cache])

    def _weights(self, chunk: EmbeddingChunk, positions: "np.ndarray[Any, Any]") -> Floats:
        """The weight of each position in its row's vector, (R, C) float32; 0 for padding."""
        lengths = chunk.lengths[:, None]
        match self._pooling.mode:
            case "mean":
                weights = (positions < lengths) / lengths
            case "cls":
                weights = np.broadcast_to(positions == 0, (len(lengths), len(positions)))
            case "last":
                weights = positions == lengths - 1
        return weights.astype(np.float32)

    def _vectors(self, chunk: EmbeddingChunk) -> Floats:
        """What the model's head makes of the pooled states, (R, size or 1) float32."""
        if chunk.pooled is None:
            raise ValueError("a chunk without computed tokens")
        found: Floats = np.array(self._model.head(chunk.pooled).astype(mx.float32))
        return _normalised(found) if self._pooling.normalises else found

    def _encoded(self, vector: Floats, dimensions: int | None) -> bytes:
        if dimensions is not None and dimensions < len(vector):
            vector = _normalised(vector[:dimensions])
        return vector.astype("<f4").tobytes()


def _padded(rows: Sequence[Sequence[int]]) -> "np.ndarray[Any, np.dtype[np.int32]]":
    """The rows right-padded with zeros to one length, (R, L)."""
    made = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for padded, row in zip(made, rows, strict=True):
        padded[: len(row)] = row
    return made


def _normalised(vectors: Floats) -> Floats:
    made: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return made
