"""The prefixes in memory: a radix tree for each owner, with the keys and values of each edge stored once.

Prompts with a common beginning share its memory. A prefix is added by storing what is new behind the part
that is there already. What is dropped is the end of a prefix, so that its beginning stays of use:

- A leaf, if all layers can be cut; if less than its bytes have to be freed, only the end of its edge.
- Else the states at the end of a prefix, and the edges that lead to no other states.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace

import mlx.core as mx

from inference.worker.prefix_cache.departed import Departed
from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.eviction_order import Cost, PrefixUse
from inference.worker.prefix_cache.layers import Cache, can_trim
from inference.worker.prefix_cache.radix_tree import RadixTree, is_near_its_end
from inference.worker.prefix_cache.segment import Segment, can_cut, cut, own
from inference.worker.prefix_cache.stored_prefix import NodeState, PrefixNode, StoredPrefix

_FEW = 64  # so many prefixes are put in order each time
_GRAIN = 256  # an edge is cut at multiples of this many tokens
Order = Callable[[NodeState, Cost], tuple[int, float]]  # the smallest are dropped first
Candidate = tuple[tuple[int, float], int, PrefixNode, int]  # its order, a number, and when it was used last


class PrefixStore:
    """The stored prefixes of all owners. `can_cut` is False for a model whose caches must stay whole."""

    def __init__(self, *, can_cut: bool) -> None:
        self._can_cut = can_cut
        self._is_cut: list[bool] | None = None  # by layer; None before the first prefix
        self._trees: dict[str, RadixTree[StoredPrefix]] = {}
        self.parts: dict[PrefixNode, NodeState] = {}
        self._prefixes: dict[PrefixNode, StoredPrefix] = {}  # least recently used first
        self._chosen: list[Candidate] = []  # a heap of those to be dropped next
        self._numbers = itertools.count()
        self.departed = Departed()
        self.bytes = 0

    @property
    def prefixes(self) -> tuple[StoredPrefix, ...]:
        """Those that no other one covers, least recently used first."""
        return tuple(self._prefixes.values())

    @property
    def is_all_cut(self) -> bool:
        """Whether every layer can be cut, so that a prefix is usable up to any of its tokens."""
        return bool(self._is_cut) and all(self._is_cut or ())

    def match(self, owner: str, tokens: Tokens) -> list[tuple[PrefixNode, int]]:
        """The nodes along `tokens`, each with how many tokens of its edge agree."""
        tree = self._trees.get(owner)
        return tree.match(tokens) if tree else []

    def touch(self, node: PrefixNode) -> None:
        """Mark the prefix that ends at `node` as the latest used one."""
        self._prefixes[node] = self._prefixes.pop(node)

    def put(self, owner: str, tokens: Tokens, cache: Cache, now: int, *, is_saved: bool) -> int:
        """Store the caches of `tokens` in place of prefixes they cover; returns how many bytes were copied.

        1. Find the part that is there already; if nothing is missing, nothing is done.
        2. Copy the keys and values behind it, and evaluate the states.
        3. Add the new edge to the tree. Its usage is that of a dropped prefix with these tokens, or that of
           the prefix that it continues.
        """
        is_cut = [self._can_cut and can_cut(layer, len(tokens)) for layer in cache]
        if self._prefixes and self._is_cut != is_cut:
            return 0
        self._is_cut = is_cut
        matched = self.match(owner, tokens)
        known = sum(common for _, common in matched)
        if known == len(tokens) and all(is_cut):
            return 0
        layers = [layer if can else None for layer, can in zip(cache, is_cut, strict=True)]
        states = [None if can else layer for layer, can in zip(cache, is_cut, strict=True)]
        segment = Segment(own(cut(layers, known, len(tokens)))) if any(is_cut) else None
        whole = [state for state in states if state is not None]
        mx.eval([state.state for state in whole])
        copied = (segment.bytes if segment else 0) + sum(int(state.nbytes) for state in whole)
        node = self._add(owner, tokens, segment, now + copied)
        is_trimmable = self._can_cut and can_trim(whole)
        self._set_prefix(StoredPrefix(owner, node, states, is_trimmable, self.parts, is_saved))
        return copied

    def drop_all(self) -> None:
        for node in self._prefixes:  # nodes refer to each other, and are freed later than the states
            node.value = None
        self._trees.clear()
        self.parts.clear()
        self._prefixes.clear()
        self._chosen.clear()
        self.bytes = 0

    def shrink(self, keep_bytes: int, order: Order) -> None:
        """Drop prefixes, first those of the smallest `order`, until at most `keep_bytes` are left.

        Putting thousands of them in order takes longer than a step. One in sixteen is therefore chosen at
        once, and dropped later unless it was used meanwhile.
        """
        while self.bytes > keep_bytes and self._prefixes:
            if not self._chosen:
                items = (self._item(node, order) for node in self._prefixes)
                self._chosen = heapq.nsmallest(max(1, len(self._prefixes) // 16), items)
            _, _, node, last_use = heapq.heappop(self._chosen)
            if node not in self._prefixes or self.parts[node].usage.last != last_use:
                continue
            if shorter := self._drop(node, self.bytes - keep_bytes):
                heapq.heappush(self._chosen, self._item(shorter, order))
        if len(self._prefixes) < _FEW:
            self._chosen.clear()

    def _item(self, node: PrefixNode, order: Order) -> Candidate:
        part = self.parts[node]
        return order(part, self._cost(node)), next(self._numbers), node, part.usage.last

    # Adding.

    def _add(self, owner: str, tokens: Tokens, segment: Segment | None, now: int) -> PrefixNode:
        tree = self._trees.setdefault(owner, RadixTree(self._on_split))
        matched = tree.match(tokens)
        divided = next((node for node, common in matched if common < len(node.tokens)), None)
        node = tree.add(tokens)
        if divided:
            self._note_divided(divided, now)
        if node not in self.parts:
            self.parts[node] = NodeState(segment, self._first_usage(owner, node, tokens, now))
            self.bytes += self.parts[node].bytes
        return node

    def _note_divided(self, lower: PrefixNode, now: int) -> None:
        """A sequence has left a stored one inside an edge, of which `lower` is what it did not share."""
        upper = lower.parent
        if upper and is_near_its_end(lower, upper.end):
            self.parts[lower].usage.returns = 0  # its lookup has counted, but for the upper part alone
        elif upper in self.parts:
            self.parts[upper].usage.note_return(now)

    def _first_usage(self, owner: str, node: PrefixNode, tokens: Tokens, now: int) -> PrefixUse:
        usage, length = self.departed.take(owner, tokens)
        if usage and length > node.start:
            return replace(usage, last=now)
        parent = node.parent
        others = [child for child in parent.children.values() if child is not node] if parent else []
        if parent in self.parts and all(is_near_its_end(other, node.start) for other in others):
            return replace(self.parts[parent].usage, last=now)
        return PrefixUse(now)

    def _on_split(self, upper: PrefixNode, lower: PrefixNode) -> None:
        part = self.parts[lower]
        first, part.segment = part.segment.split(len(upper.tokens)) if part.segment else (None, None)
        self.parts[upper] = NodeState(first, replace(part.usage))
        self.parts[upper].loans.update(part.loans)

    def _set_prefix(self, prefix: StoredPrefix) -> None:
        node, tree = prefix.node, self._trees[prefix.owner]
        replaced = self._prefixes.pop(node, None)
        prefix.is_saved |= replaced is not None and replaced.is_saved
        self.bytes += prefix.state_bytes - (replaced.state_bytes if replaced else 0)
        tree.put(node, prefix, is_trimmable=prefix.is_trimmable)
        self._prefixes[node] = prefix
        for above in node.path[:-1] if prefix.is_trimmable else ():
            if above.value:
                tree.clear(above)
                self.bytes -= self._prefixes.pop(above).state_bytes

    # Dropping.

    def _cost(self, node: PrefixNode) -> Cost:
        """What dropping the prefix at `node` frees and costs."""
        if self.is_all_cut:
            return Cost(self.parts[node].bytes, len(node.tokens))
        others = [above.end for above in node.path[:-1] if above.value]
        segment_bytes = 0 if node.children else self.parts[node].bytes
        return Cost(self._prefixes[node].state_bytes + segment_bytes, node.end - max(others, default=0))

    def _drop(self, node: PrefixNode, excess: int) -> PrefixNode | None:
        """Drop the end of a prefix; returns the node of what is left of it, if that is a prefix only now."""
        prefix, tree = self._prefixes.pop(node), self._trees[node.value.owner] if node.value else None
        if tree is None:
            raise RuntimeError("a node without a prefix cannot be dropped")
        self.departed.add(prefix.owner, node.sequence, replace(self.parts[node].usage))
        self.bytes -= prefix.state_bytes
        if self.is_all_cut and (kept := self._kept_tokens(node, excess)):
            tree.split(node, kept)
        tree.clear(node)
        while not node.children and node.value is None and node.parent:
            node = self._remove_leaf(tree, node)
            if self.is_all_cut:
                break
        if not tree.root.children:
            del self._trees[prefix.owner]
        if not (self.is_all_cut and node.parent) or node.children or node.value:
            return None
        self._set_prefix(StoredPrefix(prefix.owner, node, prefix.states, True, self.parts, prefix.is_saved))
        return node

    def _remove_leaf(self, tree: RadixTree[StoredPrefix], node: PrefixNode) -> PrefixNode:
        part = self.parts.pop(node)
        self.bytes -= part.bytes
        parent = tree.remove_leaf(node)
        if part.segment:
            part.segment.drop()
        return parent

    def _kept_tokens(self, node: PrefixNode, excess: int) -> int:
        """How many tokens of an edge can stay when so many bytes have to go; 0 for none.

        At least a quarter goes, because what stays is copied.
        """
        length = len(node.tokens)
        needed = -(-excess * length // max(1, self.parts[node].bytes))
        return max(0, length - max(needed, length // 4)) // _GRAIN * _GRAIN
