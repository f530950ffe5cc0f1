"""What is remembered of prefixes that were dropped: their tokens and their usage, but none of their caches.

A prompt that begins with a dropped prefix shows that somebody came back to it. When it is stored again, it
has its usage, as the ghost entries of ARC (https://www.usenix.org/conference/fast-03/arc-self-tuning-low-overhead-replacement-cache).
"""

from dataclasses import dataclass, field
from itertools import islice

from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.eviction_order import PrefixUse
from inference.worker.prefix_cache.radix_tree import Node, RadixTree, is_near_its_end

_MOST_TOKENS = 2**20  # four bytes each
_MOST_SIBLINGS = 64  # so many are looked at where prompts part


@dataclass
class Departed:
    """The dropped prefixes by owner; the oldest are forgotten beyond a million tokens."""

    _trees: dict[str, RadixTree[PrefixUse]] = field(default_factory=dict)
    _sizes: dict[Node[PrefixUse], tuple[str, int]] = field(
        default_factory=dict
    )  # owner and tokens, oldest first
    _tokens: int = 0

    def add(self, owner: str, tokens: Tokens, usage: PrefixUse) -> None:
        """Remember a prefix that is being dropped."""
        tree = self._trees.setdefault(owner, RadixTree())
        node = tree.add(tokens)
        self._forget(node)
        tree.put(node, usage, is_trimmable=False)
        self._sizes[node] = owner, len(tokens)
        self._tokens += len(tokens)
        while self._tokens > _MOST_TOKENS:
            self._remove(next(iter(self._sizes)))

    def find(self, owner: str, tokens: Tokens) -> tuple[PrefixUse | None, int]:
        """The usage of the longest dropped prefix that `tokens` continue, and how much of it they share."""
        found = self._continued(owner, tokens)
        return (found[-1][0].value, found[-1][1]) if found else (None, 0)

    def take(self, owner: str, tokens: Tokens) -> tuple[PrefixUse | None, int]:
        """The same; all that `tokens` continue are forgotten, because they are stored again."""
        found = self._continued(owner, tokens)
        usage = self.find(owner, tokens)
        for node, _ in found:
            self._remove(node)
        return usage

    def _continued(self, owner: str, tokens: Tokens) -> list[tuple[Node[PrefixUse], int]]:
        """The dropped prefixes that `tokens` begin with or leave near their ends, and how much is shared."""
        tree = self._trees.get(owner)
        matched = tree.match(tokens) if tree else []
        whole = [node for node, common in matched if common == len(node.tokens)]
        found = [(node, node.end) for node in whole if node.value is not None]
        if matched:
            last, common = matched[-1]
            shared = last.start + common
            left = [last] if common < len(last.tokens) else islice(last.children.values(), _MOST_SIBLINGS)
            found += [(node, shared) for node in left if node.value and is_near_its_end(node, shared)]
        return found

    def _remove(self, node: Node[PrefixUse]) -> None:
        owner, _ = self._sizes[node]
        self._forget(node)
        self._trees[owner].remove(node)
        if not self._trees[owner].root.children:
            del self._trees[owner]

    def _forget(self, node: Node[PrefixUse]) -> None:
        self._tokens -= self._sizes.pop(node, ("", 0))[1]
