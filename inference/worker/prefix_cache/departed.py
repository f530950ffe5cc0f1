"""What is remembered of prefixes that were dropped: their tokens and their usage, but none of their caches.

A prompt that begins with a dropped prefix shows that somebody came back to it. When it is stored again, it
has its usage, as the ghost entries of ARC (https://www.usenix.org/conference/fast-03/arc-self-tuning-low-overhead-replacement-cache).
"""

from dataclasses import dataclass, field

from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.radix_tree import Node, RadixTree
from inference.worker.prefix_cache.usage import Usage

_MOST_TOKENS = 2**20  # four bytes each


@dataclass
class Departed:
    """The dropped prefixes by owner; the oldest are forgotten beyond a million tokens."""

    _trees: dict[str, RadixTree[Usage]] = field(default_factory=dict)
    _sizes: dict[Node[Usage], tuple[str, int]] = field(default_factory=dict)  # owner and tokens, oldest first
    _tokens: int = 0

    def add(self, owner: str, tokens: Tokens, usage: Usage) -> None:
        """Remember a prefix that is being dropped."""
        tree = self._trees.setdefault(owner, RadixTree())
        node = tree.add(tokens)
        self._forget(node)
        tree.put(node, usage, is_trimmable=False)
        self._sizes[node] = owner, len(tokens)
        self._tokens += len(tokens)
        while self._tokens > _MOST_TOKENS:
            self._remove(next(iter(self._sizes)))

    def find(self, owner: str, tokens: Tokens) -> tuple[Usage | None, int]:
        """The usage of the longest dropped prefix that `tokens` begin with, and its length."""
        tree = self._trees.get(owner)
        node, length = tree.find(tokens) if tree else (None, 0)
        return (node.value if node else None), length

    def take(self, owner: str, tokens: Tokens) -> tuple[Usage | None, int]:
        """The same; it and those that it begins with are forgotten, because they are stored again."""
        tree = self._trees.get(owner)
        nodes = tree.values_along(tokens) if tree else []
        found = (nodes[-1].value, nodes[-1].end) if nodes else (None, 0)
        for node in nodes:
            self._remove(node)
        return found

    def _remove(self, node: Node[Usage]) -> None:
        owner, _ = self._sizes[node]
        self._forget(node)
        self._trees[owner].remove(node)
        if not self._trees[owner].root.children:
            del self._trees[owner]

    def _forget(self, node: Node[Usage]) -> None:
        self._tokens -= self._sizes.pop(node, ("", 0))[1]
