"""What top-k, top-p and min-p leave of a distribution."""

import math
from collections.abc import Sequence

import mlx.core as mx
import numpy as np
import pytest

from inference.worker.sampling.truncation import Truncation, keep_min_p, keep_top

pytestmark = pytest.mark.mlx
LOGPROBS = mx.log(mx.array([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]]))


def kept_of(
    logits: mx.array, *, top_k: int | Sequence[int] = 0, top_p: float | Sequence[float] = 1.0
) -> mx.array:
    """Which tokens are kept, with values for each row or one for all of them."""
    rows, vocabulary = logits.shape
    limits = [top_k] * rows if isinstance(top_k, int) else top_k
    masses = [top_p] * rows if isinstance(top_p, float) else top_p
    return mx.isfinite(keep_top(logits, Truncation(limits, masses, vocabulary)))


@pytest.mark.parametrize("spread", [0.01, 3.0, 8.0])
@pytest.mark.parametrize("top_p", [0.05, 0.9, 0.999])
def test_the_nucleus_of_a_large_vocabulary_is_right_whether_it_is_small_or_not(
    spread: float, top_p: float
) -> None:
    logits = np.random.default_rng(1).standard_normal((3, 20_000)).astype(np.float32) * spread
    found = np.array(kept_of(mx.array(logits), top_p=top_p))
    for row, kept in zip(logits.astype(np.float64), found, strict=True):
        likeliest = np.argsort(-row)
        mass = np.cumsum(np.exp(row[likeliest] - row.max()))
        size = 1 + int(np.searchsorted(mass / mass[-1], top_p))
        assert abs(kept.sum() - size) <= 1 + size // 1000  # sums of single precision round
        assert set(np.flatnonzero(kept)) <= set(likeliest[: kept.sum()])


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_top_k_keeps_so_many_even_among_equals(top_k: int) -> None:
    rows = mx.array([[1.0, 3.0, 2.0, 0.0], [5.0, 5.0, 5.0, 5.0]])
    assert kept_of(rows, top_k=top_k).sum(axis=-1).tolist() == [top_k, top_k]


def test_min_p_drops_what_is_too_unlikely_beside_the_likeliest() -> None:
    kept = mx.isfinite(keep_min_p(LOGPROBS, mx.array(math.log(0.25))))
    assert kept.tolist() == [[True, True, True, False], [False, True, True, True]]


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9])
def test_each_row_has_a_nucleus_of_its_own(top_p: float) -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(20, 0.5), size=8).astype(np.float32) + 1e-9
    found = np.array(kept_of(mx.log(mx.array(probabilities)), top_p=top_p))
    for row, kept in zip(probabilities, found, strict=True):
        likeliest = np.argsort(-row)
        size = 1 + int(np.searchsorted(np.cumsum(row[likeliest]), top_p))
        assert set(np.flatnonzero(kept)) == set(likeliest[:size])


@pytest.mark.parametrize("vocabulary", [400, 6000])
@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16])
def test_rows_with_values_of_their_own_keep_what_each_keeps_alone(vocabulary: int, dtype: mx.Dtype) -> None:
    logits = 4 * mx.random.normal((7, vocabulary), key=mx.random.key(3))
    logits = logits.astype(dtype).astype(mx.float32)  # of bfloat16 many are equal
    top_k = (0, 1, 40, 0, 2000, 20, 0)
    top_p = (0.9, 1.0, 1.0, 0.999, 1.0, 0.8, 1.0)
    together = kept_of(logits, top_k=top_k, top_p=top_p)
    for row in range(7):
        alone = kept_of(logits[row : row + 1], top_k=top_k[row : row + 1], top_p=top_p[row : row + 1])
        assert alone[0].tolist() == together[row].tolist()


def test_the_nucleus_is_one_of_what_top_k_has_kept() -> None:
    # 0.5 and 0.3 are 0.625 and 0.375 of the two that are left.
    assert kept_of(LOGPROBS, top_k=2, top_p=0.6).tolist() == [
        [True, False, False, False],
        [False, False, False, True],
    ]


@pytest.mark.parametrize("top_k", [0, 6000, 10**9])
def test_a_top_k_of_the_whole_vocabulary_or_none_keeps_everything(top_k: int) -> None:
    assert bool(kept_of(mx.zeros((2, 6000)), top_k=top_k).all())


def test_equal_logits_are_kept_alike_among_candidates_and_among_all() -> None:
    logits = mx.where(mx.arange(6000) % 9 == 0, 2.0, mx.zeros((2, 6000)))  # 667 equals
    among_candidates = kept_of(logits, top_k=(300, 300))
    among_all = kept_of(logits, top_k=(300, 3000))  # one row keeps more than the candidates
    assert among_candidates[0].tolist() == among_all[0].tolist()
