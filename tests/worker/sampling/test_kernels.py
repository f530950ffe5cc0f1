"""Samplers: shape (batch, vocabulary) to (batch,); repeatable where seeded, never NaN."""

import mlx.core as mx
import numpy as np
import pytest

from inference.core.requests import Sampling
from inference.worker.sampling.kernels import (
    GREEDY,
    Draw,
    SamplingParams,
    sample,
)
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.mlx
PROBS = mx.array([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])
LOGPROBS = mx.log(PROBS)
DRAWN = 20_000 if IS_NIGHTLY else 1_000


def tokens(logits: mx.array, shape: SamplingParams, seed: int = 0, position: int = 0) -> list[int]:
    """One token for each row; each row draws at a place of its own."""
    draws = [Draw(seed, position + row) for row in range(len(logits))]
    return [int(token) for token in np.array(sample(logits, shape, draws))]


def draws(shape: SamplingParams, count: int = 200, row: int = 0, seed: int = 0) -> list[int]:
    return tokens(mx.repeat(LOGPROBS[row : row + 1], count, axis=0), shape, seed)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert tokens(LOGPROBS, SamplingParams.of(Sampling(temperature=0))) == [0, 3]


def test_equal_parameters_are_one_shape() -> None:
    assert SamplingParams.of(Sampling(temperature=0.7, top_p=0.9, seed=1)) == SamplingParams.of(
        Sampling(temperature=0.7, top_p=0.9)
    )


@pytest.mark.parametrize("seed", [0, 1, -1, 2**63 - 1, -(2**63), 2**70, -(2**70)])
def test_a_seed_repeats_its_draws(seed: int) -> None:
    assert draws(SamplingParams(), 30, seed=seed) == draws(SamplingParams(), 30, seed=seed)


@pytest.mark.parametrize(("seed", "other"), [(1, 2), (0, 2**32), (-1, 2**32 - 1), (1, -1)])
def test_another_seed_draws_otherwise(seed: int, other: int) -> None:
    assert draws(SamplingParams(), 30, seed=seed) != draws(SamplingParams(), 30, seed=other)


def test_a_draws_key_is_the_seed_of_a_generator() -> None:
    next_draw = Draw(seed=5, position=3)
    high, low = next_draw.key
    assert mx.random.key(high * 2**32 + low).tolist() == [high, low]


def test_a_row_draws_the_same_whoever_draws_beside_it() -> None:
    shape, mine = SamplingParams(temperature=1.3, top_p=0.95), Draw(7, 2)
    alone = sample(LOGPROBS[:1], shape, [mine])[0].item()
    beside = [sample(LOGPROBS[mx.array([1, 0])], shape, [Draw(s, 9), mine])[1].item() for s in range(30)]
    assert set(beside) == {alone}


@pytest.mark.parametrize(("top_p", "kept"), [(0.4, {0}), (0.6, {0, 1}), (0.9, {0, 1, 2}), (1e-6, {0})])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: set[int]) -> None:
    assert set(draws(SamplingParams(top_p=top_p), seed=3)) == kept


def test_equal_tokens_do_not_slip_into_the_nucleus() -> None:
    # Half precision makes equals of neighbours, so a top_p near zero must still leave a single token.
    equals = mx.zeros((4, 1000))
    assert (
        len({token for i in range(10) for token in tokens(equals, SamplingParams(top_p=1e-6), position=i)})
        == 1
    )


@pytest.mark.parametrize(("temperature", "seed"), [(1.0, 4), (2.0, 5), (0.5, 6)])
def test_draws_follow_the_probabilities(temperature: float, seed: int) -> None:
    drawn = np.array(draws(SamplingParams(temperature=temperature), DRAWN, seed=seed))
    wanted = np.array([0.5, 0.3, 0.15, 0.05]) ** (1 / temperature)
    wanted *= len(drawn) / wanted.sum()
    chi_square = float(((np.bincount(drawn, minlength=4) - wanted) ** 2 / wanted).sum())
    assert chi_square < 16.3  # three degrees of freedom: one in a thousand, were the seeds not fixed


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("temperature", [1e-4, 0.001, 0.7, 2.0])
@pytest.mark.parametrize("top_p", [1e-6, 0.5, 0.999999, 1.0])
def test_extremes_never_draw_a_token_that_is_not_there(
    dtype: mx.Dtype, temperature: float, top_p: float
) -> None:
    logits = (mx.random.normal((3, 500), key=mx.random.key(0)) * 30).astype(dtype)
    masked = mx.where(mx.arange(500) % 2 == 0, -mx.inf, logits)
    drawn = tokens(masked, SamplingParams(temperature=temperature, top_p=top_p))
    assert all(token % 2 == 1 and 0 <= token < 500 for token in drawn)


def test_a_low_temperature_sharpens_them() -> None:
    assert set(draws(SamplingParams(temperature=0.05), seed=5)) == {0}


def test_what_is_left_open_is_one() -> None:
    assert SamplingParams.of(Sampling()) == SamplingParams(1.0, 1.0, 0, 0.0)


@pytest.mark.parametrize(
    "shape", [SamplingParams(temperature=2.0, top_p=0.5), SamplingParams(temperature=0.001), GREEDY]
)
def test_masked_tokens_are_never_drawn(shape: SamplingParams) -> None:
    masked = mx.array([[-mx.inf, 0.0, -mx.inf, -mx.inf]])
    assert {tokens(masked, shape, position=i)[0] for i in range(20)} == {1}
