"""Samplers: shape (batch, vocabulary) to (batch,); repeatable where seeded, never NaN."""

import mlx.core as mx
import numpy as np
import pytest

from inference.types import Sampling
from inference.worker.sampling import Sampler, keep_top_p, sampler_for

pytestmark = pytest.mark.mlx
PROBS = mx.array([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])
LOGPROBS = mx.log(PROBS)


def tokens(sampler: Sampler, logprobs: mx.array) -> list[int]:
    return [int(token) for token in np.array(sampler(logprobs))]


def draws(sampling: Sampling, count: int = 200, row: int = 0) -> list[int]:
    sampler = sampler_for(sampling)
    return [tokens(sampler, LOGPROBS[row : row + 1])[0] for _ in range(count)]


def test_temperature_zero_takes_the_likeliest() -> None:
    assert tokens(sampler_for(Sampling(temperature=0)), LOGPROBS) == [0, 3]


def test_equal_parameters_share_one_sampler() -> None:
    same = Sampling(temperature=0.7, top_p=0.9)
    assert sampler_for(same) is sampler_for(Sampling(temperature=0.7, top_p=0.9))


def test_seeded_samplers_are_never_shared() -> None:
    seeded = Sampling(temperature=0.7, seed=1)
    assert sampler_for(seeded) is not sampler_for(seeded)


@pytest.mark.parametrize("seed", [0, 1, -1, 2**63 - 1, -(2**63), 2**70, -(2**70)])
def test_a_seed_repeats_its_draws(seed: int) -> None:
    assert draws(Sampling(seed=seed), 30) == draws(Sampling(seed=seed), 30)


@pytest.mark.parametrize(("seed", "other"), [(1, 2), (0, 2**32), (-1, 2**32 - 1), (1, -1)])
def test_another_seed_draws_otherwise(seed: int, other: int) -> None:
    assert draws(Sampling(seed=seed), 30) != draws(Sampling(seed=other), 30)


def test_a_seed_draws_the_same_whoever_draws_beside_it() -> None:
    seeded = Sampling(temperature=1.3, top_p=0.95, seed=7)
    mine, other, shared = (sampler_for(one) for one in (seeded, Sampling(seed=8), Sampling(temperature=0.9)))
    drawn: list[int] = []
    for _ in range(30):
        other(LOGPROBS[1:]), shared(LOGPROBS)
        drawn += tokens(mine, LOGPROBS[:1])
    assert drawn == draws(seeded, 30)


@pytest.mark.parametrize(("top_p", "kept"), [(0.4, {0}), (0.6, {0, 1}), (0.9, {0, 1, 2}), (1e-6, {0})])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: set[int]) -> None:
    assert set(draws(Sampling(temperature=1.0, top_p=top_p, seed=3))) == kept


@pytest.mark.parametrize("seed", [None, 0])
def test_equal_tokens_do_not_slip_into_the_nucleus(seed: int | None) -> None:
    # Half precision makes equals of neighbours, so a top_p near zero must still leave a single token.
    equals = mx.zeros((4, 1000))
    sampler = sampler_for(Sampling(temperature=1.0, top_p=1e-6, seed=seed))
    assert len({token for _ in range(10) for token in tokens(sampler, equals)}) == 1


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9])
def test_each_row_has_a_nucleus_of_its_own(top_p: float) -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(20, 0.5), size=8).astype(np.float32) + 1e-9
    found = np.isfinite(np.array(keep_top_p(mx.log(mx.array(probabilities)), mx.array(top_p))))
    for row, kept in zip(probabilities, found, strict=True):
        likeliest = np.argsort(-row)
        size = 1 + int(np.searchsorted(np.cumsum(row[likeliest]), top_p))
        assert set(np.flatnonzero(kept)) == set(likeliest[:size])


@pytest.mark.parametrize(("temperature", "seed"), [(1.0, 4), (2.0, 5), (0.5, 6), (1.0, None)])
def test_draws_follow_the_probabilities(temperature: float, seed: int | None) -> None:
    mx.random.seed(1)
    rows = mx.repeat(LOGPROBS[:1], 20_000, axis=0)
    drawn = np.array(sampler_for(Sampling(temperature=temperature, seed=seed))(rows))
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
    logprobs = mx.where(mx.arange(500) % 2 == 0, -mx.inf, logits - mx.logsumexp(logits, -1, keepdims=True))
    drawn = tokens(sampler_for(Sampling(temperature=temperature, top_p=top_p, seed=0)), logprobs)
    assert all(token % 2 == 1 and 0 <= token < 500 for token in drawn)


def test_a_low_temperature_sharpens_them() -> None:
    assert set(draws(Sampling(temperature=0.05, seed=5))) == {0}


def test_what_is_left_open_is_one() -> None:
    assert sampler_for(Sampling()) is sampler_for(Sampling(temperature=1.0, top_p=1.0))


@pytest.mark.parametrize("sampling", [Sampling(temperature=2.0, top_p=0.5), Sampling(temperature=0.001)])
def test_masked_tokens_are_never_drawn(sampling: Sampling) -> None:
    masked = mx.array([[-mx.inf, 0.0, -mx.inf, -mx.inf]])
    assert {tokens(sampler_for(sampling), masked)[0] for _ in range(20)} == {1}
