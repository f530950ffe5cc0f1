"""The index of the files of prefixes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.worker.prefix_cache.entry import Tokens, common_length
from inference.worker.prefix_cache.saved_index import SavedIndex
from inference.worker.prefix_cache.saved_prefix import SavedPrefix

pytestmark = pytest.mark.mlx


def numbers(length: int) -> Tokens:
    return np.arange(length, dtype=np.int32)


def saved(name: str, tokens: Tokens, *, owner: str = "me", is_trimmable: bool = True) -> SavedPrefix:
    return SavedPrefix(Path(name), owner, tokens, is_trimmable, 100)


def test_the_owners_longest_file_is_found() -> None:
    index = SavedIndex()
    for name, length, owner in (("a", 10, "me"), ("b", 20, "me"), ("c", 30, "you")):
        index.add(saved(name, numbers(length), owner=owner))
    found = index.find_longer("me", numbers(40), than=9)
    assert found and found.path == Path("b")
    assert index.find_longer("me", numbers(40), than=20) is None


def test_what_cannot_be_trimmed_is_found_as_a_whole() -> None:
    index = SavedIndex()
    index.add(saved("a", numbers(30), is_trimmable=False))
    assert index.find_longer("me", numbers(29), than=0) is None
    assert index.find_longer("me", numbers(31), than=0)


def test_bytes_and_the_oldest_follow_use_and_removal() -> None:
    index, files = SavedIndex(), [saved(name, numbers(10 + place)) for place, name in enumerate("abc")]
    for file in files:
        index.add(file)
    index.touch(files[0])
    assert (index.oldest, index.bytes) == (files[1], 300)
    index.remove(files[1])
    index.remove(files[1])
    assert (index.oldest, index.bytes) == (files[2], 200)


def test_a_file_with_the_same_tokens_takes_the_place_of_the_other() -> None:
    index, second = SavedIndex(), saved("b", numbers(10))
    index.add(saved("a", numbers(10)))
    index.add(second)
    assert (index.along("me", numbers(11)), index.bytes) == ([second], 100)


FILES = st.tuples(
    st.sampled_from("ab"), st.lists(st.integers(0, 1), min_size=1, max_size=8), st.booleans(), st.booleans()
)


@given(files=st.lists(FILES, max_size=20), prompt=st.lists(st.integers(0, 1), min_size=1, max_size=9))
def test_it_finds_what_a_comparison_with_every_file_finds(
    files: list[tuple[str, list[int], bool, bool]], prompt: list[int]
) -> None:
    index, wanted = SavedIndex(), np.array(prompt, np.int32)
    kept: dict[tuple[str, tuple[int, ...]], SavedPrefix] = {}
    for number, (owner, ids, is_trimmable, is_removed) in enumerate(files):
        file = saved(str(number), np.array(ids, np.int32), owner=owner, is_trimmable=is_trimmable)
        index.add(file)
        kept[owner, tuple(ids)] = file
        if is_removed:
            index.remove(kept.pop((owner, tuple(ids))))
    lengths = [
        common
        for file in kept.values()
        if file.owner == "a"
        and (common := common_length(file.tokens, wanted))
        and (file.is_trimmable or common == len(file.tokens))
    ]
    found = index.find_longer("a", wanted, than=0)
    assert (common_length(found.tokens, wanted) if found else 0) == max(lengths, default=0)
    assert index.bytes == 100 * len(kept)
