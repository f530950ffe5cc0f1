"""Log probabilities, once their arrays are computed."""

import mlx.core as mx
import pytest

from inference.worker.sampling.logprobs import MIN_LOGPROB, LazyLogprob, Logprob

pytestmark = pytest.mark.mlx


def test_arrays_are_read_in_order() -> None:
    lazy = LazyLogprob(mx.array(-0.5), mx.array([7, 3]), mx.array([-0.5, -1.5]))
    assert lazy.read() == Logprob(-0.5, ((7, -0.5), (3, -1.5)))
    assert len(lazy.arrays) == 3


def test_a_token_that_cannot_be_drawn_has_a_finite_figure() -> None:
    infinite = mx.array(-mx.inf)
    assert LazyLogprob(infinite).read() == Logprob(MIN_LOGPROB)
    assert LazyLogprob(infinite, mx.array([1]), infinite[None]).read().top == ((1, MIN_LOGPROB),)
