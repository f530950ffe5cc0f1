"""A smaller model that drafts for the rows of a batch.

B is the number of its rows, W the most tokens that one of them has not seen, and k the tokens of a draft.

1. A row that is new is prefilled by itself, a chunk at a time, and then joins the others (`prepare`). So are
   rows that have gone on for long without drafts. The others are `ready` and need not wait for them.
2. Rows are fed what they have not seen: (B, W) int32, padded on the right and rolled back row by row.
3. The likeliest next token is fed, (B, 1), until there are k of them.
4. The caches are rolled back to all tokens but the latest one, which is fed again with the next draft.

What the rows accept does not matter here: with the next draft, each is fed what it has become.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_reduce
from mlx_lm.models.cache import BatchKVCache, make_prompt_cache

from inference.worker.speculation.ragged_cache import RaggedKVCache, ragged, roll_back

_AT_ONCE = 32  # tokens that a row may have to be fed when it is drafted for
_LEAST = 16  # of each row that lags behind: they grow meanwhile


class _NewRow:
    """A row that is still prefilled; its caches have the first `fed` of its tokens."""

    def __init__(self, model: nn.Module) -> None:
        self.caches: list[Any] = make_prompt_cache(model)
        self.fed = 0


class DraftModel:
    """Drafts of a model whose caches are KV caches and can be rolled back.

    `vocab_size` is that of the model which verifies: no other token ids are drafted. Rows are known by the
    uid that the batch has for them. Used on the engine's thread only.
    """

    def __init__(self, model: nn.Module, vocab_size: int) -> None:
        self._model = model
        self._vocab_size = vocab_size
        self._uids: list[int] = []
        self._fed: list[int] = []  # tokens of each row that are in the caches
        self._caches: list[RaggedKVCache] = []
        self._new: dict[int, _NewRow] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of its caches."""
        states = [cache.state for cache in self._caches if cache.keys is not None]
        new = [cache.state for row in self._new.values() if row.fed for cache in row.caches]
        return int(tree_reduce(_added_bytes, (states, new), 0))

    def ready(self, rows: Mapping[int, Sequence[int]]) -> AbstractSet[int]:
        """Those of the rows that can be drafted for at once; `rows` are as for `prepare`."""
        return {uid for uid, fed in self._rows if uid in rows and len(rows[uid]) - fed <= _AT_ONCE}

    def prepare(self, rows: Mapping[int, Sequence[int]], most: int) -> int:
        """Feed about `most` tokens that rows have not seen; returns how many were fed.

        `rows` are all rows that may be drafted for: their tokens without the latest one. Others are dropped.
        """
        for uid in {*self._uids, *self._new} - set(rows):
            self.forget(uid)
        for uid in rows:
            if uid not in self._uids:
                return self._prefill(uid, rows[uid], most)
        each = max(_LEAST, most // max(1, len(self._uids)))
        ready = self.ready(rows)
        pieces = [[] if uid in ready else list(rows[uid][fed : fed + each]) for uid, fed in self._rows]
        if not any(pieces):
            return 0
        self._feed(pieces)
        mx.eval([cache.state for cache in self._caches])
        return len(pieces) * max(map(len, pieces))

    def draft(self, rows: Mapping[int, Sequence[int]], count: int) -> dict[int, list[int]]:
        """The `count` likeliest tokens after those of each row that is ready.

        `rows` are as for `prepare`, with their latest tokens; waits for the device.
        """
        unseen = [list(rows[uid][fed:]) if uid in rows else [] for uid, fed in self._rows]
        pieces = [piece if len(piece) <= _AT_ONCE + 1 else [] for piece in unseen]
        if not any(pieces):
            return {}
        logits = self._feed(pieces)
        drafted = []
        for place in range(count):
            token = mx.argmax(logits[:, : self._vocab_size], axis=-1)
            drafted.append(token)
            if place + 1 < count:
                logits = self._model(token[:, None], cache=self._caches)[:, -1]
        tokens: list[list[int]] = mx.stack(drafted, axis=1).tolist()  # type: ignore[assignment]
        # What was drafted is dropped, but for the last, which was not fed, and so is each row's latest token.
        roll_back(self._caches, [0 if piece else 1 for piece in pieces], count)
        self._fed = [fed - 1 if piece else fed for fed, piece in zip(self._fed, pieces, strict=True)]
        drafts = zip(self._uids, tokens, pieces, strict=True)
        return {uid: drafted_for for uid, drafted_for, piece in drafts if piece}

    @property
    def _rows(self) -> Iterator[tuple[int, int]]:
        """The uid of each row, and how many of its tokens are in the caches."""
        return zip(self._uids, self._fed, strict=True)

    def forget(self, uid: int) -> None:
        """Drop a row, if it is here."""
        self._new.pop(uid, None)
        if uid not in self._uids:
            return
        kept = [row for row, one in enumerate(self._uids) if one != uid]
        self._uids = [self._uids[row] for row in kept]
        self._fed = [self._fed[row] for row in kept]
        if not kept:
            self._caches = []
        for cache in self._caches:
            cache.filter(kept)

    def _prefill(self, uid: int, tokens: Sequence[int], most: int) -> int:
        """Feed a chunk of a new row; the last chunk makes it a row of the batch. Returns its tokens."""
        row = self._new.setdefault(uid, _NewRow(self._model))
        piece = list(tokens[row.fed : row.fed + most])
        self._model(mx.array([piece]), cache=row.caches)
        mx.eval([cache.state for cache in row.caches])
        row.fed += len(piece)
        if row.fed < len(tokens):
            return len(piece)
        del self._new[uid]
        joined = ragged([BatchKVCache.merge([cache]) for cache in row.caches])
        if self._caches:
            for cache, other in zip(self._caches, joined, strict=True):
                cache.extend(other)
        else:
            self._caches = joined
        self._uids.append(uid)
        self._fed.append(row.fed)
        return len(piece)

    def _feed(self, pieces: Sequence[list[int]]) -> mx.array:
        """Add some tokens to each row; returns the logits after the last of each, (B, V)."""
        width = max(map(len, pieces))
        inputs = mx.array([piece + [0] * (width - len(piece)) for piece in pieces])
        logits = self._model(inputs, cache=self._caches)
        counts = [len(piece) for piece in pieces]
        roll_back(self._caches, counts, width)
        self._fed = [fed + count for fed, count in zip(self._fed, counts, strict=True)]
        ends = mx.array([max(count - 1, 0) for count in counts])
        return mx.take_along_axis(logits, ends[:, None, None], axis=1)[:, 0]


def _added_bytes(total: int, leaf: Any) -> int:
    return total + (leaf.nbytes if isinstance(leaf, mx.array) else 0)
