"""The prefix cache: KV caches of earlier prompts, so that a chat's next turn prefills only its new part.

A lookup has these steps:

1. Follow the prompt, without its last token, through the tree of its owner (radix_tree.py). A stored prefix
   is usable up to where the prompt leaves it if its caches can be trimmed, else only as a whole.
2. Take the longest usable prefix, of at least 16 tokens, and note that somebody came back to it (usage.py).
3. Return a copy of its caches, trimmed to that length.

The disk tier (disk.py) is asked first, by the engine: a longer prefix on disk is read and stored in memory.

Prefixes are found by their owner only. Otherwise the time to the first token would reveal whether another
owner has sent a prompt (https://www.ndss-symposium.org/ndss-paper/i-know-what-you-asked-prompt-leakage-via-kv-cache-sharing-in-multi-tenant-llm-serving/).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens
from inference.worker.prefix_cache.eviction_order import Cost, UsualGap, eviction_order
from inference.worker.prefix_cache.layers import Cache
from inference.worker.prefix_cache.prefix_store import PrefixStore
from inference.worker.prefix_cache.radix_tree import best_of, is_near_its_end
from inference.worker.prefix_cache.stored_prefix import (
    Loan,
    NodeState,
    PrefixNode,
    StoredPrefix,
    caches_of,
    segments_of,
)
from inference.worker.vision.feature_cache import FeatureCache
from inference.worker.vision.places import whole_length

if TYPE_CHECKING:
    from inference.worker.prefix_cache.disk import DiskTier
    from inference.worker.prefix_cache.saved_prefix import SavedPrefix

_SHARE_OF_FEATURES = 10  # of the limit: the features of pictures have a tenth at most
MIN_TOKENS = 16  # a shorter prefix is computed faster than it is copied


@dataclass(frozen=True)
class CachedPrefix:
    """The caches of the first `length` tokens of a prompt, one for each layer.

    Keep the loan for as long as the sequence runs: until then, its stored prefix is the first to be dropped,
    because the sequence has a copy and stores it again.
    """

    length: int
    cache: Cache
    loan: Loan | None = None


class PrefixCache:
    """The stored prefixes of one model, of `limit` bytes together at most.

    `can_trim` is False for a model whose caches give wrong answers after they were trimmed
    (batch_verification.py), whatever their types promise.
    """

    def __init__(self, limit: int, disk: "DiskTier | None" = None, can_trim: bool = True) -> None:
        self.limit = limit
        self.disk = disk
        self._store = PrefixStore(can_cut=can_trim)
        self._usual_gap = UsualGap()
        self.features = FeatureCache(limit // _SHARE_OF_FEATURES)
        self._now = 0  # bytes of prefixes used and stored so far

    @property
    def bytes(self) -> int:
        return self._store.bytes + self.features.bytes

    @property
    def unsaved(self) -> StoredPrefix | None:
        """The latest prefix that is not on disk yet; None if there is none or no disk tier."""
        return next((e for e in reversed(self.entries) if not e.is_saved), None) if self.disk else None

    def save_next(self) -> None:
        """Have the disk tier write the latest unsaved prefix, unless it is still writing another one."""
        if self.disk and not self.disk.is_writing and (entry := self.unsaved):
            self.disk.submit_write(entry)

    def flush(self, timeout_s: float) -> None:
        """Write all prefixes that are not on disk yet, as far as the time allows."""
        while self.disk and (entry := self.unsaved):
            self.disk.submit_write(entry)
        if self.disk:
            self.disk.wait(timeout_s)

    @property
    def entries(self) -> tuple[StoredPrefix, ...]:
        """The prefixes that no other one covers, least recently used first."""
        return self._store.prefixes

    def lookup(
        self, owner: str, prompt: Sequence[int], wholes: Sequence[tuple[int, int]] = ()
    ) -> CachedPrefix | None:
        """The longest usable prefix of `prompt` in memory; its last token is always left to compute.

        It ends inside none of the `wholes`, spans of tokens that are pictures.
        """
        tokens = _tokens(prompt[:-1])
        matched = self._store.match(owner, tokens)
        best, length = best_of(matched)
        self._note_departed(owner, tokens, length)
        if best is None or best.value is None:
            return None
        length, matched_length = whole_length(length, wholes), length
        if length < MIN_TOKENS or (length < matched_length and not best.is_trimmable):
            return None
        path = [node for node, _ in matched if node.start < length]
        self._note_use(matched if self._store.is_all_cut else [(best, len(best.tokens))], path)
        self._store.touch(best)
        segments = segments_of(path, self._store.parts)
        loan = Loan()
        for node in path:
            self._store.parts[node].loans.add(loan)
        return CachedPrefix(length, caches_of(segments, best.value.states, length, best.end - length), loan)

    def find_on_disk(self, owner: str, prompt: Sequence[int]) -> "SavedPrefix | None":
        """The prefix on disk that covers more of `prompt` than any in memory; None if there is none."""
        if not self.disk:
            return None
        tokens = _tokens(prompt[:-1])
        _, length = best_of(self._store.match(owner, tokens))
        return self.disk.find_longer(owner, tokens, than=max(length, MIN_TOKENS - 1))

    def restore(self, entry: PrefixEntry) -> None:
        """Take a prefix that was read from disk; one larger than the limit stays until the next `shed`."""
        self._now += self._store.put(
            entry.owner, entry.tokens, entry.cache, self._now, is_saved=entry.is_saved
        )

    def store(self, owner: str, tokens: Sequence[int], cache: Cache) -> None:
        """Store the caches of `tokens`, (1, heads, T, size) in each layer, in place of prefixes they cover.

        The arrays are evaluated here, because another thread may write them to disk. Prefixes that are too
        short or larger than the limit are not stored.
        """
        size = sum(layer.nbytes for layer in cache)
        if len(tokens) >= MIN_TOKENS and size <= self.limit:
            self._now += self._store.put(owner, _tokens(tokens), cache, self._now, is_saved=False)
            self.shed(self.limit)

    def shed(self, keep_bytes: int) -> None:
        """Drop prefixes until at most `keep_bytes` are left, first those that nobody comes back to."""
        if keep_bytes < self.limit:  # a picture is looked at sooner than a prompt is computed
            self.features.shrink(max(0, keep_bytes - self._store.bytes))
        if keep_bytes <= 0:
            self._store.drop_all()
        elif self.bytes > keep_bytes:
            left = keep_bytes - self.features.bytes
            self._store.shrink(left, partial(self._order, left))

    def _order(self, keep_bytes: int, part: NodeState, cost: Cost) -> tuple[int, float]:
        return eviction_order(
            part.usage,
            cost,
            now=self._now,
            limit=self.limit,
            keep=keep_bytes,
            usual_gap=self._usual_gap.of(keep_bytes),
            is_lent=self._store.is_all_cut and bool(part.loans),
        )

    def _note_use(self, matched: list[tuple[PrefixNode, int]], path: list[PrefixNode]) -> None:
        """Note a return to those of the matched nodes that are used to their ends, or nearly."""
        used = [
            self._store.parts[node].usage
            for node, common in matched
            if common == len(node.tokens) or is_near_its_end(node, node.start + common)
        ]
        for usage in used:
            usage.note_return(self._now)
        if used:
            self._usual_gap.note(used[-1].gap)
        self._now += sum(self._store.parts[node].bytes for node in path)
        for usage in used:
            usage.last = self._now

    def _note_departed(self, owner: str, tokens: Tokens, known: int) -> None:
        """Note a return to a prefix that was dropped, where it reaches beyond what is known."""
        usage, length = self._store.departed.find(owner, tokens)
        if usage and length > known:
            usage.note_return(self._now)
            self._usual_gap.note(usage.gap)


def boundaries(prompt: Sequence[int], ends: Iterable[int], most: int = 4) -> list[int]:
    """Where messages end in `prompt`, as `most` token positions at most, for caches that cannot be trimmed.

    `ends` are the tokens that end a message. The first position, which ends the system prompt, and the last
    ones are returned.
    """
    terminators = frozenset(ends)
    positions = [position + 1 for position, token in enumerate(prompt[:-1]) if token in terminators]
    positions = [position for position in positions if position >= MIN_TOKENS]
    return positions if len(positions) <= most else [positions[0], *positions[-(most - 1) :]]


def _tokens(ids: Sequence[int]) -> Tokens:
    return np.array(ids, dtype=np.int32)
