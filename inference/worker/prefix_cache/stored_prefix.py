"""What the tree of prefixes in memory holds: the part of each node, and the prefixes that end at nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakSet

import mlx.core as mx

from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.eviction_order import PrefixUse
from inference.worker.prefix_cache.layers import Cache, trim_copy
from inference.worker.prefix_cache.radix_tree import Node
from inference.worker.prefix_cache.segment import Segment, join


class Loan:
    """Kept by a running sequence for as long as its caches hold a copy of a stored prefix."""


@dataclass(eq=False)
class NodeState:
    """What a node holds: the keys and values of its edge, if the model has layers that can be cut."""

    segment: Segment | None
    usage: PrefixUse
    loans: "WeakSet[Loan]" = field(default_factory=WeakSet)

    @property
    def bytes(self) -> int:
        return self.segment.bytes if self.segment else 0


@dataclass(frozen=True)
class FrozenPrefix:
    """A stored prefix as it was at one moment, for another thread; its arrays are evaluated."""

    owner: str
    tokens: Tokens
    segments: tuple[Cache, ...]
    states: Cache
    is_trimmable: bool
    bytes: int

    @property
    def cache(self) -> Cache:
        """Its caches, joined on the calling thread."""
        return caches_of(self.segments, self.states, len(self.tokens), 0)


@dataclass(eq=False)
class StoredPrefix:
    """A prefix that ends at `node`. Its keys and values are in the parts of the nodes above.

    `states` are the caches of the layers that cannot be cut, at the end of the prefix; None for the others.
    """

    owner: str
    node: "PrefixNode"
    states: Cache
    is_trimmable: bool
    parts: "Mapping[PrefixNode, NodeState]"
    is_saved: bool = False

    @property
    def tokens(self) -> Tokens:
        return self.node.sequence

    @property
    def state_bytes(self) -> int:
        return sum(layer.nbytes for layer in self.states if layer is not None)

    @property
    def bytes(self) -> int:
        """All bytes that it needs; it shares those of its beginning with others."""
        return self.state_bytes + sum(self.parts[node].bytes for node in self.node.path)

    @property
    def cache(self) -> Cache:
        return self.frozen().cache

    def frozen(self) -> FrozenPrefix:
        """It for another thread.

        The parts of a segment that was divided are views which nobody has evaluated yet, and only this thread
        has the stream that they are computed on (https://github.com/ml-explore/mlx/pull/3348).
        """
        segments = segments_of(self.node.path, self.parts)
        mx.eval([(layer.keys, layer.values) for part in segments for layer in part if layer is not None])
        return FrozenPrefix(
            self.owner, self.tokens, tuple(segments), list(self.states), self.is_trimmable, self.bytes
        )


PrefixNode = Node[StoredPrefix]


def segments_of(path: "Sequence[PrefixNode]", parts: "Mapping[PrefixNode, NodeState]") -> list[Cache]:
    """The layers of the segments along a path."""
    return [list(part.segment.layers) for node in path if (part := parts[node]).segment]


def caches_of(segments: Sequence[Cache], states: Cache, length: int, beyond: int) -> Cache:
    """Caches of `length` tokens that can be written to.

    The segments are joined; the states, which are those of `beyond` tokens more, are copied and trimmed.
    """
    joined = join(segments, length) if segments else [None] * len(states)
    own = iter(trim_copy([state for state in states if state is not None], beyond))
    return [layer if state is None else next(own) for layer, state in zip(joined, states, strict=True)]
