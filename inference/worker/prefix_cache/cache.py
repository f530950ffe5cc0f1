"""The prefix cache: KV caches of earlier prompts, so that a chat's next turn prefills only its new part.

A lookup has these steps:

1. Compare the prompt, without its last token, with every entry of its owner. An entry is usable up to the
   common prefix if its caches can be trimmed, else only as a whole.
2. Take the entry with the longest usable prefix, of at least 16 tokens, and mark it as used.
3. Return a copy of its caches, trimmed to that prefix.

The disk tier (disk.py) is asked first, by the engine: a longer prefix on disk is read and becomes an entry.

Entries are found by their owner only. Otherwise the time to the first token would reveal whether another
owner has sent a prompt (https://www.ndss-symposium.org/ndss-paper/i-know-what-you-asked-prompt-leakage-via-kv-cache-sharing-in-multi-tenant-llm-serving/).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens, common_length
from inference.worker.prefix_cache.layers import Cache, trim_copy

if TYPE_CHECKING:
    from inference.worker.prefix_cache.disk import DiskTier
    from inference.worker.prefix_cache.saved_prefix import SavedPrefix

MIN_TOKENS = 16  # a shorter prefix is computed faster than it is copied


@dataclass(frozen=True)
class CachedPrefix:
    """The caches of the first `length` tokens of a prompt, one for each layer."""

    length: int
    cache: Cache


@dataclass
class PrefixCache:
    """The entries of one model, least recently used first, of `limit` bytes together at most.

    `can_trim` is False for a model whose caches give wrong answers after they were trimmed
    (batch_verification.py), whatever their types promise.
    """

    limit: int
    disk: "DiskTier | None" = None
    can_trim: bool = True
    _entries: list[PrefixEntry] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self._entries)

    @property
    def unsaved(self) -> PrefixEntry | None:
        """The latest entry that is not on disk yet; None if there is none or no disk tier."""
        return next((e for e in reversed(self._entries) if not e.is_saved), None) if self.disk else None

    @property
    def entries(self) -> tuple[PrefixEntry, ...]:
        return tuple(self._entries)

    def lookup(self, owner: str, prompt: Sequence[int]) -> CachedPrefix | None:
        """The longest usable prefix of `prompt` in memory; its last token is always left to compute."""
        best, length = self._find_best(owner, _tokens(prompt[:-1]))
        if best is None:
            return None
        self._entries.remove(best)
        self._entries.append(best)
        return CachedPrefix(length, trim_copy(best.cache, len(best.tokens) - length))

    def find_on_disk(self, owner: str, prompt: Sequence[int]) -> "SavedPrefix | None":
        """The prefix on disk that covers more of `prompt` than any in memory; None if there is none."""
        if not self.disk:
            return None
        tokens = _tokens(prompt[:-1])
        return self.disk.find_longer(owner, tokens, than=self._find_best(owner, tokens)[1])

    def restore(self, entry: PrefixEntry) -> None:
        """Take an entry that was read from disk; one larger than the limit stays until the next `shed`."""
        self._entries = [known for known in self._entries if not _is_covered(known, entry)]
        self._entries.append(entry)

    def _find_best(self, owner: str, tokens: Tokens) -> tuple[PrefixEntry | None, int]:
        best, length = None, MIN_TOKENS - 1
        for entry in self._entries:
            common = usable_length(entry, owner, tokens)
            if common > length:
                best, length = entry, common
        return best, length

    def store(self, owner: str, tokens: Sequence[int], cache: Cache) -> None:
        """Store the caches of `tokens`, (1, heads, T, size) in each layer, in place of entries they cover.

        The arrays are evaluated here, because another thread may write them to disk. Entries that are too
        short or larger than the limit are not stored.
        """
        size = sum(layer.nbytes for layer in cache)
        if len(tokens) >= MIN_TOKENS and size <= self.limit:
            mx.eval([layer.state for layer in cache])
            self.restore(PrefixEntry(owner, _tokens(tokens), cache, size, can_trim=self.can_trim))
            self.shed(self.limit)

    def shed(self, keep_bytes: int) -> None:
        """Drop the least recently used entries until at most `keep_bytes` are left."""
        excess = self.bytes - keep_bytes
        while excess > 0 and self._entries:
            excess -= self._entries.pop(0).bytes


def usable_length(entry: PrefixEntry, owner: str, tokens: Tokens) -> int:
    """How many tokens of `tokens` this entry covers; 0 if it belongs to another owner."""
    if entry.owner != owner:
        return 0
    common = common_length(entry.tokens, tokens)
    # A sliding window or a recurrent state cannot be trimmed: such an entry is usable as a whole or not.
    return common if common == len(entry.tokens) or entry.is_trimmable else 0


def boundaries(prompt: Sequence[int], ends: Iterable[int], most: int = 4) -> list[int]:
    """Where messages end in `prompt`, as `most` token positions at most, for caches that cannot be trimmed.

    `ends` are the tokens that end a message. The first position, which ends the system prompt, and the last
    ones are returned.
    """
    terminators = frozenset(ends)
    positions = [position + 1 for position, token in enumerate(prompt[:-1]) if token in terminators]
    positions = [position for position in positions if position >= MIN_TOKENS]
    return positions if len(positions) <= most else [positions[0], *positions[-(most - 1) :]]


def _is_covered(known: PrefixEntry, by: PrefixEntry) -> bool:
    if known.owner != by.owner or len(known.tokens) > len(by.tokens):
        return False
    is_beginning = common_length(known.tokens, by.tokens) == len(known.tokens)
    return is_beginning and (by.is_trimmable or len(known.tokens) == len(by.tokens))


def _tokens(ids: Sequence[int]) -> Tokens:
    return np.array(ids, dtype=np.int32)
