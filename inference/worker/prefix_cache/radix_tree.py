"""A radix tree over token sequences: which stored sequence begins as a prompt does.

Sequences with a common beginning share the nodes of that beginning. Every edge holds one or more tokens, and
the edges below a node begin with different tokens. A search follows the prompt from the root, so its time
grows with the prompt and not with the number of sequences, as in SGLang's RadixAttention
(https://arxiv.org/abs/2312.07104).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from inference.worker.prefix_cache.entry import Tokens, common_length

V = TypeVar("V")


@dataclass(eq=False)
class Node(Generic[V]):
    """The tokens of one edge, and the value of the sequence that ends with it, if one does."""

    tokens: Tokens
    start: int  # tokens before the edge
    parent: "Node[V] | None" = None
    value: V | None = None
    is_trimmable: bool = False  # whether the value serves every shorter prefix, too
    children: "dict[int, Node[V]]" = field(default_factory=dict)
    serving: set[int] = field(default_factory=set)  # first tokens of children with trimmable values

    @property
    def end(self) -> int:
        """Tokens from the root to the end of the edge."""
        return self.start + len(self.tokens)

    @property
    def has_trimmable(self) -> bool:
        """Whether its value or one below it can be trimmed to any point of the edge."""
        return (self.value is not None and self.is_trimmable) or bool(self.serving)

    @property
    def path(self) -> "list[Node[V]]":
        """The nodes from the root, without it, to this one."""
        nodes: list[Node[V]] = []
        node: Node[V] | None = self
        while node and node.parent:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    @property
    def sequence(self) -> Tokens:
        """All tokens from the root to the end of the edge."""
        parts = [node.tokens for node in self.path]
        return np.concatenate(parts) if parts else self.tokens


class RadixTree(Generic[V]):
    """Values by token sequence. `on_split` is called with the two nodes that a node has become."""

    def __init__(self, on_split: "Callable[[Node[V], Node[V]], None] | None" = None) -> None:
        self.root: Node[V] = Node(np.empty(0, np.int32), 0)
        self._on_split = on_split

    def match(self, tokens: Tokens) -> list[tuple[Node[V], int]]:
        """The nodes along `tokens` from the root, each with how many tokens of its edge agree.

        All but the last one agree as a whole.
        """
        found: list[tuple[Node[V], int]] = []
        node, at = self.root, 0
        while at < len(tokens) and (child := node.children.get(int(tokens[at]))):
            common = common_length(child.tokens, tokens[at:])
            found.append((child, common))
            if common < len(child.tokens):
                break
            node, at = child, at + common
        return found

    def find(self, tokens: Tokens) -> tuple[Node[V] | None, int]:
        """The node whose value covers the most of `tokens`, and how many tokens that is; None and 0 if none.

        A value that cannot be trimmed covers its whole sequence or nothing.
        """
        return best_of(self.match(tokens))

    def values_along(self, tokens: Tokens) -> list[Node[V]]:
        """The nodes with values whose sequences `tokens` begins with, shortest first."""
        matched = self.match(tokens)
        return [node for node, common in matched if common == len(node.tokens) and node.value is not None]

    def add(self, tokens: Tokens) -> Node[V]:
        """The node that ends with these tokens; it is made, and another one split, where it is missing."""
        node, at = self.root, 0
        while at < len(tokens):
            child = node.children.get(int(tokens[at]))
            if child is None:
                child = Node(tokens[at:].copy(), at, node)
                node.children[int(tokens[at])] = child
            elif (common := common_length(child.tokens, tokens[at:])) < len(child.tokens):
                child = self.split(child, common)
            node, at = child, child.end
        return node

    def split(self, node: Node[V], at: int) -> Node[V]:
        """Divide an edge after its first `at` tokens; returns the new node above."""
        parent = node.parent
        if parent is None or not 0 < at < len(node.tokens):
            raise ValueError("There is nothing to divide.")
        first = int(node.tokens[0])
        upper = Node(node.tokens[:at], node.start, parent)
        node.tokens, node.start, node.parent = node.tokens[at:], upper.end, upper
        parent.children[first] = upper
        below = int(node.tokens[0])
        upper.children[below] = node
        upper.serving = {below} if node.has_trimmable else set()
        if self._on_split:
            self._on_split(upper, node)
        return upper

    def put(self, node: Node[V], value: V, *, is_trimmable: bool) -> None:
        """Set the value of a node."""
        node.value, node.is_trimmable = value, is_trimmable
        self._update_serving(node)

    def clear(self, node: Node[V]) -> None:
        """Drop the value of a node; the node stays."""
        node.value, node.is_trimmable = None, False
        self._update_serving(node)

    def remove_leaf(self, node: Node[V]) -> Node[V]:
        """Remove a node without children; returns its parent."""
        parent = node.parent
        if parent is None or node.children:
            raise ValueError("It is no leaf.")
        self.clear(node)
        del parent.children[int(node.tokens[0])]
        node.parent = None
        return parent

    def remove(self, node: Node[V]) -> None:
        """Drop the value of a node, and the nodes that lead to no value any more."""
        self.clear(node)
        while node.parent and not node.children and node.value is None:
            node = self.remove_leaf(node)

    def _update_serving(self, node: Node[V]) -> None:
        """Let the nodes above know whether there is a trimmable value in or below this one."""
        while node.parent:
            first, parent = int(node.tokens[0]), node.parent
            if node.has_trimmable == (first in parent.serving):
                return
            (parent.serving.add if node.has_trimmable else parent.serving.discard)(first)
            node = parent


def best_of(matched: list[tuple[Node[V], int]]) -> tuple[Node[V] | None, int]:
    """The node with the value that covers the most of what has been matched, and how many tokens that is."""
    for node, common in reversed(matched):
        if common == len(node.tokens) and node.value is not None:
            return node, node.end
        if node.has_trimmable:
            return _trimmable_in(node), node.start + common
    return None, 0


def _trimmable_in(node: Node[V]) -> Node[V]:
    """A node with a trimmable value, this one or one below it."""
    while not (node.value is not None and node.is_trimmable):
        node = node.children[next(iter(node.serving))]
    return node


def is_near_its_end(node: Node[V], matched: int) -> bool:
    """Whether a sequence that leaves a stored one at `matched` tokens, inside or before `node`, continues it.

    It does if little of it is left behind, such as the end of an answer whose reasoning is left out of the
    next prompt. One that shares less, such as instructions only, is another conversation.
    """
    return not node.children and (node.end - matched) * 4 <= matched
