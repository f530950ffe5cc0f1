"""The index of the prefixes on disk: which file covers a prompt. It has no arrays and reads no files."""

from dataclasses import dataclass, field
from pathlib import Path

from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.radix_tree import Node, RadixTree
from inference.worker.prefix_cache.saved_prefix import SavedPrefix


@dataclass
class SavedIndex:
    """Saved prefixes by owner and tokens, least recently used first."""

    bytes: int = 0
    _trees: dict[str, RadixTree[SavedPrefix]] = field(default_factory=dict)
    _nodes: dict[Path, Node[SavedPrefix]] = field(default_factory=dict)

    def find_longer(self, owner: str, prompt: Tokens, *, than: int) -> SavedPrefix | None:
        """The saved prefix that covers the most tokens of `prompt`, if more `than` so many; else None."""
        tree = self._trees.get(owner)
        node, length = tree.find(prompt) if tree else (None, 0)
        return node.value if node and length > than else None

    def along(self, owner: str, tokens: Tokens) -> list[SavedPrefix]:
        """The saved prefixes that `tokens` begin with."""
        tree = self._trees.get(owner)
        return [node.value for node in tree.values_along(tokens) if node.value] if tree else []

    def add(self, saved: SavedPrefix) -> None:
        """Enter a file as the latest used one, in place of one with the same tokens."""
        tree = self._trees.setdefault(saved.owner, RadixTree())
        node = tree.add(saved.tokens)
        if node.value:
            del self._nodes[node.value.path]
            self.bytes -= node.value.bytes
        tree.put(node, saved, is_trimmable=saved.is_trimmable)
        self._nodes[saved.path] = node
        self.bytes += saved.bytes

    def remove(self, saved: SavedPrefix) -> None:
        """Forget a file; one that is not there any more is ignored."""
        node = self._nodes.get(saved.path)
        if node is None or node.value is not saved:
            return
        del self._nodes[saved.path]
        tree = self._trees[saved.owner]
        tree.remove(node)
        self.bytes -= saved.bytes
        if not tree.root.children:
            del self._trees[saved.owner]

    def touch(self, saved: SavedPrefix) -> None:
        """Mark a file as the latest used one."""
        if node := self._nodes.pop(saved.path, None):
            self._nodes[saved.path] = node

    @property
    def oldest(self) -> SavedPrefix | None:
        """The least recently used file."""
        return next((node.value for node in self._nodes.values()), None)
