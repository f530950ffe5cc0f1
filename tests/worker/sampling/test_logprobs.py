"""Log probabilities, once their arrays are computed."""

import mlx.core as mx
import numpy as np
import pytest

from inference.worker.sampling.grammar import GrammarFailure
from inference.worker.sampling.logprobs import MIN_LOGPROB, Logprob, LogprobRows, RowLogprob, logprob_rows

pytestmark = pytest.mark.mlx
FAILURE = GrammarFailure("It cannot be followed.", "response_format")


def test_arrays_are_read_in_order() -> None:
    rows = LogprobRows(mx.array([-0.5]), mx.array([[7, 3]]), mx.array([[-0.5, -1.5]]))
    assert len(rows.arrays) == 3
    assert RowLogprob(rows, 0).read() == Logprob(-0.5, ((7, -0.5), (3, -1.5)))


def test_each_row_reads_its_own_in_any_order() -> None:
    rows = LogprobRows(mx.array([-0.5, -2.0]), mx.array([[7], [4]]), mx.array([[-0.5], [-1.0]]))
    assert RowLogprob(rows, 1, FAILURE).read() == Logprob(-2.0, ((4, -1.0),), FAILURE)
    assert RowLogprob(rows, 0).read() == Logprob(-0.5, ((7, -0.5),))


def test_a_token_that_cannot_be_drawn_has_a_finite_figure() -> None:
    infinite = mx.array([-mx.inf])
    assert RowLogprob(LogprobRows(infinite, None, None), 0).read() == Logprob(MIN_LOGPROB)
    rows = LogprobRows(infinite, mx.array([[1]]), infinite[None])
    assert RowLogprob(rows, 0).read().top == ((1, MIN_LOGPROB),)


@pytest.mark.parametrize("alternatives", [[0], [3], [0, 0, 2], [0, 1, 5], [2, 2, 2]])
def test_rows_with_different_numbers_of_alternatives_are_each_right(alternatives: list[int]) -> None:
    logits = np.random.default_rng(2).standard_normal((len(alternatives), 9)).astype(np.float32)
    tokens = mx.arange(len(alternatives))
    made = logprob_rows(mx.array(logits), tokens, alternatives)
    assert len(made) == len(set(alternatives))
    read = [RowLogprob(of, place).read() for of in made for place in range(of.size)]
    for row, (own, count) in enumerate(zip(read, alternatives, strict=True)):
        wanted = logits[row] - np.log(np.exp(logits[row]).sum())
        assert own.value == pytest.approx(float(wanted[row]), abs=1e-5)
        likeliest = np.argsort(-wanted)[:count]
        assert [token for token, _ in own.top] == likeliest.tolist()
        assert [value for _, value in own.top] == pytest.approx(wanted[likeliest].tolist(), abs=1e-5)
