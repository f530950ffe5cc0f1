"""Samplers: shape (batch, vocabulary) to (batch,); repeatable where seeded, never NaN."""

import mlx.core as mx
import pytest

from inference.types import Sampling
from inference.worker.sampling import sampler_for

pytestmark = pytest.mark.mlx
PROBS = mx.array([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])
LOGPROBS = mx.log(PROBS)


def draws(sampling: Sampling, count: int = 200, row: int = 0) -> list[int]:
    sampler = sampler_for(sampling)
    return [int(sampler(LOGPROBS[row : row + 1]).item()) for _ in range(count)]


def test_temperature_zero_takes_the_likeliest() -> None:
    assert sampler_for(Sampling(temperature=0))(LOGPROBS).tolist() == [0, 3]


def test_equal_parameters_share_one_sampler() -> None:
    same = Sampling(temperature=0.7, top_p=0.9)
    assert sampler_for(same) is sampler_for(Sampling(temperature=0.7, top_p=0.9))


def test_seeded_samplers_are_never_shared() -> None:
    seeded = Sampling(temperature=0.7, seed=1)
    assert sampler_for(seeded) is not sampler_for(seeded)


@pytest.mark.parametrize("seed", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_a_seed_repeats_its_draws(seed: int) -> None:
    assert draws(Sampling(seed=seed), 30) == draws(Sampling(seed=seed), 30)


def test_another_seed_draws_otherwise() -> None:
    assert draws(Sampling(seed=1), 30) != draws(Sampling(seed=2), 30)


@pytest.mark.parametrize(("top_p", "kept"), [(0.4, {0}), (0.6, {0, 1}), (0.9, {0, 1, 2}), (1e-6, {0})])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: set[int]) -> None:
    assert set(draws(Sampling(temperature=1.0, top_p=top_p, seed=3))) == kept


def test_draws_follow_the_probabilities() -> None:
    found = draws(Sampling(temperature=1.0, seed=4), 2000)
    shares = [found.count(token) / len(found) for token in range(4)]
    assert shares == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.05)


def test_a_low_temperature_sharpens_them() -> None:
    assert set(draws(Sampling(temperature=0.05, seed=5))) == {0}


def test_what_is_left_open_is_one() -> None:
    assert sampler_for(Sampling()) is sampler_for(Sampling(temperature=1.0, top_p=1.0))


@pytest.mark.parametrize("sampling", [Sampling(temperature=2.0, top_p=0.5), Sampling(temperature=0.001)])
def test_masked_tokens_are_never_drawn(sampling: Sampling) -> None:
    masked = mx.array([[-mx.inf, 0.0, -mx.inf, -mx.inf]])
    assert {int(sampler_for(sampling)(masked).item()) for _ in range(20)} == {1}
