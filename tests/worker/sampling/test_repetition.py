"""Penalties that depend on the order of the latest tokens, and XTC."""

import mlx.core as mx
import numpy as np

from inference.core.requests import Sampling
from inference.worker.sampling.repetition import RecentTokens
from inference.worker.sampling.token_sampler import TokenSampler, sample_rows
from tests.each import each

V = 8


def penalised(tokens: list[int], **sampling: object) -> list[float]:
    texts = {7: "\n"}
    recent = RecentTokens(Sampling(**sampling), tokens, lambda ids: texts.get(ids[0], "x"))  # type: ignore[arg-type]
    values: list[float] = np.array(recent.apply(mx.ones((1, V))))[0].tolist()
    return values


def test_a_window_forgets_what_is_further_back() -> None:
    values = penalised([1, 2, 3], repetition_penalty=2.0, repetition_window=2)
    assert values == [1, 1, 0.5, 0.5, 1, 1, 1, 1]
    assert penalised([1, 2, 3], repetition_penalty=2.0, repetition_window=0) == [1] * V


def test_dry_penalises_what_would_go_on_with_a_repetition() -> None:
    values = penalised([1, 2, 3, 4, 1, 2, 3], dry_multiplier=1.0, dry_base=2.0, dry_allowed_length=2)
    assert values == [1, 1, 1, 1, 1 - 2.0, 1, 1, 1]  # three tokens are the same: 2 ** (3 - 2)


@each(
    ("tokens", "options"),
    [
        ([1, 2, 3, 4], {}),
        ([3, 4, 3], {}),  # one token alone may repeat
        ([1, 2, 3, 4, 1, 2, 3], {"dry_allowed_length": 4}),
        ([1, 2, 3, 4, 1, 2, 3], {"dry_window": 3}),
        ([1, 2, 7, 4, 1, 2, 7], {}),  # a line break ends a sequence
        ([], {}),
    ],
)
def test_dry_leaves_the_rest_alone(tokens: list[int], options: dict[str, int]) -> None:
    assert penalised(tokens, dry_multiplier=1.0, **options) == [1] * V


def test_the_samplers_window_is_in_the_place_of_the_whole_penalty() -> None:
    sampler = TokenSampler(Sampling(repetition_penalty=2.0, repetition_window=1), prompt=[1, 2])
    sampler.observe(2)
    logits = np.array(sampler.process(mx.array([2]), mx.ones((1, V))))[0]
    assert logits.tolist() == [1, 1, 0.5, 1, 1, 1, 1, 1]


def drawn(probability: float, seed: int) -> int:
    sampling = Sampling(temperature=0.0, seed=seed, xtc_probability=probability, xtc_threshold=0.2)
    sampler = TokenSampler(sampling)
    logits = mx.log(mx.array([[0.5, 0.25, 0.21, 0.02, 0.02, 0.0, 0.0, 0.0]]) + 1e-9)
    token = sample_rows([sampler], sampler.process(mx.array([0]), logits))[0].item()
    assert isinstance(token, int)
    return token


def test_xtc_leaves_the_top_choices_out_but_for_the_least_of_them() -> None:
    assert {drawn(1.0, seed) for seed in range(5)} == {2}
    assert {drawn(0.0, seed) for seed in range(5)} == {0}
    often = [drawn(0.5, seed) for seed in range(400)]
    assert set(often) == {0, 2} and 120 < often.count(2) < 280
    assert [drawn(0.5, seed) for seed in range(50)] == often[:50]
