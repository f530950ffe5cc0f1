"""The prefix cache: KV caches of prompts seen before, so that a chat's next turn computes its new part only.

Entries belong to an owner and are found by nobody else: how fast a prompt is answered would tell who
sent it before (https://www.ndss-symposium.org/ndss-paper/i-know-what-you-asked-prompt-leakage-via-kv-cache-sharing-in-multi-tenant-llm-serving/).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens, common_length
from inference.worker.prefix_cache.layers import Cache, trim_copy

if TYPE_CHECKING:
    from inference.worker.prefix_cache.disk import DiskTier, SavedPrefix

MIN_TOKENS = 16  # tokens; less is computed faster than it is looked up and copied


@dataclass(frozen=True)
class CachedPrefix:
    """What is known of the beginning of a prompt: the caches of its first `length` tokens."""

    length: int
    cache: Cache


@dataclass
class PrefixCache:
    """The entries of one model, least recently used first, never more than `limit` bytes together.

    `can_trim` is False for a model whose caches are not right once they have gone back, whatever they say.
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
        """The latest entry that is still to be written to disk."""
        return next((e for e in reversed(self._entries) if not e.is_saved), None) if self.disk else None

    @property
    def entries(self) -> tuple[PrefixEntry, ...]:
        return tuple(self._entries)

    def lookup(self, owner: str, prompt: Sequence[int]) -> CachedPrefix | None:
        """The longest usable beginning of `prompt` in memory; at least its last token is left to compute."""
        best, length = self._find_best(owner, _tokens(prompt[:-1]))
        if best is None:
            return None
        self._entries.remove(best)
        self._entries.append(best)
        return CachedPrefix(length, trim_copy(best.cache, len(best.tokens) - length))

    def find_on_disk(self, owner: str, prompt: Sequence[int]) -> "SavedPrefix | None":
        """The saved prefix that stands for more of `prompt` than any in memory."""
        if not self.disk:
            return None
        wanted = _tokens(prompt[:-1])
        return self.disk.find_longer(owner, wanted, than=self._find_best(owner, wanted)[1])

    def restore(self, entry: PrefixEntry) -> None:
        """Take an entry that was read from disk; one larger than the limit stays until the next `shed`."""
        self._entries = [known for known in self._entries if not _is_covered(known, entry)]
        self._entries.append(entry)

    def _find_best(self, owner: str, wanted: Tokens) -> tuple[PrefixEntry | None, int]:
        best, length = None, MIN_TOKENS - 1
        for entry in self._entries:
            common = usable_length(entry, owner, wanted)
            if common > length:
                best, length = entry, common
        return best, length

    def store(self, owner: str, tokens: Sequence[int], cache: Cache) -> None:
        """Remember the caches of `tokens`, in the place of those that are only their beginning."""
        size = sum(layer.nbytes for layer in cache)
        if len(tokens) >= MIN_TOKENS and size <= self.limit:
            mx.eval([layer.state for layer in cache])
            self.restore(PrefixEntry(owner, _tokens(tokens), cache, size, can_trim=self.can_trim))
            self.shed(self.limit)

    def shed(self, keep_bytes: int) -> None:
        """Forget the least recently used entries beyond `keep_bytes`."""
        excess = self.bytes - keep_bytes
        while excess > 0 and self._entries:
            excess -= self._entries.pop(0).bytes


def usable_length(entry: PrefixEntry, owner: str, wanted: Tokens) -> int:
    """How many of the tokens `wanted` this entry can stand for: 0 where it is another's."""
    if entry.owner != owner:
        return 0
    common = common_length(entry.tokens, wanted)
    # A window or a recurrent state cannot go back: such an entry is of use as a whole or not at all.
    return common if common == len(entry.tokens) or entry.is_trimmable else 0


def boundaries(prompt: Sequence[int], ends: Iterable[int], most: int = 4) -> list[int]:
    """Where messages end in `prompt`: the first, which holds the system's, and the last ones."""
    terminators = frozenset(ends)
    places = [place + 1 for place, token in enumerate(prompt[:-1]) if token in terminators]
    places = [place for place in places if place >= MIN_TOKENS]
    return places if len(places) <= most else [places[0], *places[-(most - 1) :]]


def _is_covered(known: PrefixEntry, by: PrefixEntry) -> bool:
    if known.owner != by.owner or len(known.tokens) > len(by.tokens):
        return False
    is_beginning = common_length(known.tokens, by.tokens) == len(known.tokens)
    return is_beginning and (by.is_trimmable or len(known.tokens) == len(by.tokens))


def _tokens(ids: Sequence[int]) -> Tokens:
    return np.array(ids, dtype=np.int32)
