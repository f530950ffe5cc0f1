"""Sequences computed one at a time, each with caches of its own.

This is for models that give other answers in a batch (batch_support.py), and for seeded requests that must be
exact to the last bit: matrix products round differently for other batch shapes.

Requests take turns. Each step computes one token for every request that decodes, (1, 1) int32 to logits
(1, V), and one chunk of one prompt, (1, C) int32. The sequences of one request (`n`, several prompts) are
computed one after the other, so that a step costs each request the same.
"""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.generate import PromptProcessingBatch, greedy_sampler
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.engine.decode_step import Decode
from inference.worker.engine.sequence import Sequence
from inference.worker.engine.shared_lane import sampler_for, stop_sequences_for
from inference.worker.lora.rows import lora_rows
from inference.worker.prefix_cache.layers import Cache, copy_caches
from inference.worker.sampling.token_sampler import TokenSampler
from inference.worker.sharding.group import lane_stream
from inference.worker.vision.rows import PictureRow, picture_rows


class SingleDecode(Decode):
    """A decoding batch of one sequence whose caches were never merged."""

    def extract_cache(self, idx: int) -> Cache:
        return list(self.prompt_cache)


@dataclass(eq=False)
class LaneRow:
    """One sequence: first its prefill, then its decoding."""

    uid: int
    sequence: Sequence
    segments: deque[list[int]]
    cache: Cache
    tokens: list[int]  # those in the caches
    total: int  # prompt tokens to compute, without the cached ones
    done: int = 0
    decode: SingleDecode | None = None
    pictures: PictureRow | None = None

    @property
    def is_prompt_done(self) -> bool:
        """Whether only the prompt's last token is left; the first decode step computes it."""
        return self.total - self.done == 1


@dataclass(eq=False)
class RequestRows:
    """The rows of one request; the first of them is computed."""

    rows: deque[LaneRow] = field(default_factory=deque)


class SequentialLane:
    """Each step is one forward pass per request. Used on the engine's thread only."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._stream = lane_stream()
        self._requests: dict[int, RequestRows] = {}
        self._prefill_order: deque[int] = deque()  # requests, the next one first
        self._uids = itertools.count()

    @property
    def nbytes(self) -> int:
        """Bytes of the caches of its sequences."""
        return sum(int(layer.nbytes) for row in self._rows() for layer in row.cache)

    def insert(
        self,
        sequence: Sequence,
        segments: list[list[int]],
        cache: Cache | None,
        known: list[int],
        pictures: PictureRow | None = None,
    ) -> int:
        """Queue a sequence whose first `known` tokens are in `cache`, which is copied; returns its uid.

        Raises ValueError if there is nothing to compute.
        """
        total = sum(map(len, segments))
        if not total or sequence.max_tokens <= 0:
            raise ValueError(f"Sequence {sequence.id} has nothing to compute.")
        *others, last = segments
        # The prompt's last token is left to the decode step.
        left = deque(segment for segment in (*others, last[:-1], last[-1:]) if segment)
        own = make_prompt_cache(self._model) if cache is None else copy_caches(cache)
        row = LaneRow(next(self._uids), sequence, left, own, list(known), total, pictures=pictures)
        if sequence.request not in self._requests:
            self._requests[sequence.request] = RequestRows()
            self._prefill_order.append(sequence.request)
        self._requests[sequence.request].rows.append(row)
        return row.uid

    def step(self, *, chunk: int, together: int = 1) -> tuple[list[Any], list[Any]]:
        """One token for each request that decodes, and `chunk` tokens of one prompt, 0 for none."""
        with mx.stream(self._stream):
            decodes = [response for row in self._active_rows() for response in self._decode(row)]
            prefills = self._prefill(chunk) if chunk else []
        return prefills, decodes

    def sampler_of(self, uid: int) -> TokenSampler | None:
        """The sampler of a sequence that decodes; None before that."""
        decode = self._row(uid).decode
        return decode.samplers[0] if decode else None

    def extract(self, uid: int) -> tuple[Cache, list[int]]:
        """A copy of a sequence's caches, and the tokens that are in them."""
        row = self._row(uid)
        return copy_caches(row.cache), list(row.tokens)

    def remove(self, uid: int) -> tuple[Cache, list[int]]:
        """Drop a sequence; returns its caches and the tokens that are in them."""
        row = self._row(uid)
        self._drop(row)
        return row.cache, row.tokens

    def _decode(self, row: LaneRow) -> list[Any]:
        if not row.decode:
            return []
        responses: list[Any] = row.decode.next()
        if any(response.finish_reason for response in responses):
            self._drop(row)
        return responses

    def _prefill(self, chunk: int) -> list[PromptProcessingBatch.Response]:
        row = self._next_prompt()
        if not row:
            return []
        if row.is_prompt_done:
            return [self._begin_decode(row)]
        tokens, rest = row.segments[0][:chunk], row.segments[0][chunk:]
        with lora_rows([row.sequence.lora]), picture_rows([row.pictures], [len(row.tokens)]):
            self._model(mx.array([tokens]), cache=row.cache)
        mx.eval([layer.state for layer in row.cache])
        mx.clear_cache()
        row.tokens += tokens
        row.done += len(tokens)
        row.segments.popleft()
        if rest:
            row.segments.appendleft(rest)
        return [PromptProcessingBatch.Response(row.uid, (row.done, row.total), not rest, False)]

    def _begin_decode(self, row: LaneRow) -> PromptProcessingBatch.Response:
        (last,) = row.segments.popleft()
        row.done += 1
        row.decode = SingleDecode(
            self._model,
            [row.uid],
            mx.array([last]),
            list(row.cache),
            [row.tokens],
            [sampler_for(row.sequence, row.pictures)],
            greedy_sampler,
            [()],
            [stop_sequences_for(row.sequence.stop_ids)],
            [row.sequence.max_tokens],
        )
        return PromptProcessingBatch.Response(row.uid, (row.total, row.total), True, True)

    def _next_prompt(self) -> LaneRow | None:
        """The active row of the next request, in turn, that still prefills."""
        for _ in range(len(self._prefill_order)):
            request = self._prefill_order[0]
            self._prefill_order.rotate(-1)
            row = self._requests[request].rows[0]
            if not row.decode:
                return row
        return None

    def _active_rows(self) -> list[LaneRow]:
        return [request_rows.rows[0] for request_rows in self._requests.values()]

    def _rows(self) -> Iterator[LaneRow]:
        for request_rows in self._requests.values():
            yield from request_rows.rows

    def _row(self, uid: int) -> LaneRow:
        return next(row for row in self._rows() if row.uid == uid)

    def _drop(self, row: LaneRow) -> None:
        request_rows = self._requests[row.sequence.request]
        request_rows.rows.remove(row)
        if not request_rows.rows:
            del self._requests[row.sequence.request]
            self._prefill_order.remove(row.sequence.request)
