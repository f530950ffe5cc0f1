"""The radix tree finds what a comparison with every sequence finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.worker.prefix_cache.entry import Tokens, common_length
from inference.worker.prefix_cache.radix_tree import Node, RadixTree, is_near_its_end

pytestmark = pytest.mark.mlx
SEQUENCES = st.lists(st.integers(0, 2), min_size=1, max_size=12)


def tokens(ids: "list[int] | str") -> Tokens:
    return np.array(list(map(ord, ids)) if isinstance(ids, str) else ids, np.int32)


def tree_of(*texts: str, is_trimmable: bool = True) -> "RadixTree[str]":
    tree: RadixTree[str] = RadixTree()
    for text in texts:
        tree.put(tree.add(tokens(text)), text, is_trimmable=is_trimmable)
    return tree


def nodes_of(node: "Node[str]") -> int:
    return 1 + sum(nodes_of(child) for child in node.children.values())


def found(tree: "RadixTree[str]", text: str) -> tuple[str, int]:
    node, length = tree.find(tokens(text))
    return (node.value or "" if node else ""), length


def test_a_prompt_leaves_a_sequence_inside_an_edge() -> None:
    assert found(tree_of("abcd", "abxy"), "abce") == ("abcd", 3)


def test_any_sequence_below_serves_a_shorter_prompt() -> None:
    assert found(tree_of("abcd", "abxy"), "abz")[1] == 2


def test_what_cannot_be_trimmed_serves_as_a_whole_only() -> None:
    tree = tree_of("abcd", "ab", is_trimmable=False)
    assert [found(tree, text) for text in ("abce", "abcd", "abcde", "a")] == [
        ("ab", 2),
        ("abcd", 4),
        ("abcd", 4),
        ("", 0),
    ]


def test_nothing_is_left_of_what_was_removed() -> None:
    tree = tree_of("abcd", "abxy", "ab")
    for text in ("abcd", "ab", "abxy"):
        tree.remove(tree.add(tokens(text)))
    assert (nodes_of(tree.root), found(tree, "abcd")) == (1, ("", 0))


def test_a_search_follows_one_path_however_many_sequences_there_are() -> None:
    texts = [f"{'s' * 20}{number:04}" for number in range(500)]
    tree = tree_of(*texts)
    assert len(tree.match(tokens(texts[321]))) <= 6  # the common part and a node for each digit


def test_values_along_a_prompt_are_those_that_it_begins_with() -> None:
    tree = tree_of("ab", "abcd", "abcx", "abcdef")
    assert [node.value for node in tree.values_along(tokens("abcde"))] == ["ab", "abcd"]


def test_a_split_is_reported_with_both_of_its_nodes() -> None:
    splits: list[tuple[list[int], list[int]]] = []
    tree: RadixTree[str] = RadixTree(
        lambda upper, lower: splits.append((list(upper.tokens), list(lower.tokens)))
    )
    for ids in ([1, 2, 3], [1, 2, 4]):
        tree.put(tree.add(tokens(ids)), "x", is_trimmable=True)
    assert splits == [([1, 2], [3])]


@pytest.mark.parametrize("at", [0, 2])
def test_there_is_nothing_before_or_behind_an_edge(at: int) -> None:
    tree = tree_of("ab")
    with pytest.raises(ValueError, match="nothing to divide"):
        tree.split(tree.add(tokens("ab")), at)


@given(
    steps=st.lists(
        st.tuples(SEQUENCES, st.sampled_from(["add", "add trimmable", "remove", "find"])), max_size=40
    )
)
def test_it_finds_what_a_comparison_with_every_sequence_finds(steps: list[tuple[list[int], str]]) -> None:
    tree: RadixTree[int] = RadixTree()
    known: dict[tuple[int, ...], bool] = {}
    for ids, step in steps:
        if step == "find":
            lengths = [
                common
                for other, is_trimmable in known.items()
                if (common := common_length(tokens(list(other)), tokens(ids)))
                and (is_trimmable or common == len(other))
            ]
            node, length = tree.find(tokens(ids))
            assert length == max(lengths, default=0)
            assert (node is None) == (length == 0)
            if node:
                assert list(node.sequence[:length]) == ids[:length] and node.value is not None
        elif step == "remove":
            if tuple(ids) in known:
                tree.remove(tree.add(tokens(ids)))
                del known[tuple(ids)]
        else:
            known[tuple(ids)] = step == "add trimmable"
            tree.put(tree.add(tokens(ids)), 1, is_trimmable=known[tuple(ids)])


@pytest.mark.parametrize(("end", "matched", "is_near"), [(100, 80, True), (100, 79, False), (100, 100, True)])
def test_a_sequence_that_leaves_another_near_its_end_continues_it(
    end: int, matched: int, is_near: bool
) -> None:
    node: Node[str] = Node(np.arange(50, dtype=np.int32), end - 50)
    assert is_near_its_end(node, matched) is is_near
