"""Masks of the tokens that may come next."""

import numpy as np
import pytest

from inference.worker.sampling.constraint import TokenMask, combined, only, without


def allowed(mask: TokenMask | None) -> list[int] | None:
    return None if mask is None else np.flatnonzero(mask).tolist()


def test_masks_are_combined_and_none_allows_all() -> None:
    assert allowed(combined([None, None])) is None
    assert allowed(combined([only((1, 2), 4), None, only((2, 3), 4)])) == [2]


def test_the_later_mask_counts_where_nothing_is_left() -> None:
    assert allowed(combined([only((1,), 4), only((2, 3), 4)])) == [2, 3]


@pytest.mark.parametrize("tokens", [(1, 9), frozenset({1, 9})])
def test_tokens_beyond_the_vocabulary_are_ignored(tokens: tuple[int, ...]) -> None:
    assert allowed(only(tokens, 4)) == [1]
    assert allowed(without(tokens, 4)) == [0, 2, 3]


def test_a_shared_mask_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        only((1,), 4)[0] = True
