"""A smaller model that drafts for the rows of a batch.

B is the number of its rows, W the most tokens that one of them has not seen, and k the tokens of a draft.

1. A row that is new is prefilled by itself, a chunk at a time, and then joins the others (`prepare`).
2. All rows are fed what they have not seen: (B, W) int32, padded on the right and rolled back row by row.
3. The likeliest next token is fed, (B, 1), until there are k of them.
4. The caches are rolled back to all tokens but the latest one, which is fed again with the next draft.

What the rows accept does not matter here: with the next draft, each is fed what it has become.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_reduce
from mlx_lm.models.cache import BatchKVCache, make_prompt_cache

from inference.worker.speculation.ragged_cache import RaggedKVCache, ragged, roll_back

_CHUNK = 256  # tokens that are fed at once


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

    def prepare(self, rows: Mapping[int, Sequence[int]]) -> bool:
        """Feed a chunk of what rows have not seen; returns whether there was anything to do.

        `rows` are all rows that may be drafted for: their tokens without the latest one. Others are dropped.
        """
        for uid in {*self._uids, *self._new} - set(rows):
            self.forget(uid)
        for uid in rows:
            if uid not in self._uids:
                self._prefill(uid, rows[uid])
                return True
        pieces = [list(rows[uid][fed : fed + _CHUNK]) for uid, fed in zip(self._uids, self._fed, strict=True)]
        if max(map(len, pieces), default=0) < _CHUNK:
            return False
        self._feed(pieces)
        mx.eval([cache.state for cache in self._caches])
        return True

    def draft(self, rows: Mapping[int, Sequence[int]], count: int) -> dict[int, list[int]]:
        """The `count` likeliest tokens after those of each row, for rows that are prepared.

        `rows` are as for `prepare`, with their latest tokens; waits for the device.
        """
        known = [rows[uid] for uid in self._uids]
        pieces = [list(tokens[fed:]) for tokens, fed in zip(known, self._fed, strict=True)]
        if not pieces or max(map(len, pieces)) > _CHUNK:
            return {}
        logits = self._feed(pieces)
        drafted = []
        for place in range(count):
            token = mx.argmax(logits[:, : self._vocab_size], axis=-1)
            drafted.append(token)
            if place + 1 < count:
                logits = self._model(token[:, None], cache=self._caches)[:, -1]
        tokens: list[list[int]] = mx.stack(drafted, axis=1).tolist()  # type: ignore[assignment]
        roll_back(self._caches, [0] * len(known), count)  # the drafted ones but the last, and the latest one
        self._fed = [len(one) - 1 for one in known]
        return dict(zip(self._uids, tokens, strict=True))

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

    def _prefill(self, uid: int, tokens: Sequence[int]) -> None:
        """Feed a chunk of a new row; the last chunk makes it a row of the batch."""
        row = self._new.setdefault(uid, _NewRow(self._model))
        piece = list(tokens[row.fed : row.fed + _CHUNK])
        self._model(mx.array([piece]), cache=row.caches)
        mx.eval([cache.state for cache in row.caches])
        row.fed += len(piece)
        if row.fed < len(tokens):
            return
        del self._new[uid]
        joined = ragged([BatchKVCache.merge([cache]) for cache in row.caches])
        if self._caches:
            for cache, other in zip(self._caches, joined, strict=True):
                cache.extend(other)
        else:
            self._caches = joined
        self._uids.append(uid)
        self._fed.append(row.fed)

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
