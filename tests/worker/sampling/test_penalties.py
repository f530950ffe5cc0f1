"""Penalties on the tokens so far."""

import mlx.core as mx
import pytest

from inference.core.requests import NEUTRAL, Sampling
from inference.worker.sampling.penalties import Penalties, has_penalties

pytestmark = pytest.mark.mlx


def sampling(**fields: float) -> Sampling:
    return Sampling(**fields).over(NEUTRAL)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"presence_penalty": 0.5}, True),
        ({"frequency_penalty": -0.5}, True),
        ({"repetition_penalty": 1.2}, True),
        ({"repetition_penalty": 1.2, "repetition_window": 8}, False),
    ],
)
def test_a_penalty_that_changes_nothing_is_none(fields: dict[str, float], expected: bool) -> None:
    assert has_penalties(sampling(**fields)) == expected


def test_frequency_counts_each_token_of_the_answer_and_presence_once() -> None:
    penalties = Penalties(sampling(presence_penalty=1.0, frequency_penalty=0.5), [0], [1])
    logits = mx.zeros((1, 3))
    assert penalties.apply(mx.array([1]), logits).tolist() == [[0.0, -1.5, 0.0]]
    assert penalties.apply(mx.array([1]), logits).tolist() == [[0.0, -2.0, 0.0]]
    assert penalties.apply(mx.array([2]), logits).tolist() == [[0.0, -2.0, -1.5]]


def test_repetition_counts_the_prompt_too_and_weakens_either_sign() -> None:
    penalties = Penalties(sampling(repetition_penalty=2.0), [0, 1], [])
    assert penalties.apply(mx.array([1]), mx.array([[4.0, -4.0, 4.0]])).tolist() == [[2.0, -8.0, 4.0]]
