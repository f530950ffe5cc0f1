"""One stored prefix."""

import numpy as np
import pytest

from inference.worker.prefix_cache.entry import common_length

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [([1, 2, 3], [1, 2, 4], 2), ([1, 2], [1, 2, 3], 2), ([], [1], 0), ([2], [1], 0), ([1, 2], [1, 2], 2)],
)
def test_the_common_prefix_ends_with_the_first_difference(
    one: list[int], other: list[int], length: int
) -> None:
    assert common_length(np.array(one, np.int32), np.array(other, np.int32)) == length
    assert common_length(np.array(other, np.int32), np.array(one, np.int32)) == length
