"""Constants that are no operation in a graph."""

import io
import threading

import mlx.core as mx
import pytest

from inference.worker.sampling.constant import column, constant

pytestmark = pytest.mark.mlx


def operations(array: mx.array) -> list[str]:
    """The names of the operations in an array's graph."""
    text = io.StringIO()
    mx.export_to_dot(text, array)
    return [line.split('"')[1] for line in text.getvalue().splitlines() if "label" in line]


def test_a_constant_adds_no_operation_and_is_made_once() -> None:
    logits = mx.zeros((2, 3))
    mx.eval(logits)
    assert operations(logits + constant(1.5, (2, 3))) == ["Add"]
    assert constant(1.5, (2, 3)) is constant(1.5, (2, 3))
    assert (logits + constant(1.5, (2, 3))).tolist() == [[1.5] * 3] * 2


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_it_has_the_type_of_what_it_is_used_with(dtype: mx.Dtype) -> None:
    chosen = mx.where(mx.array([[True, False]]), constant(-mx.inf, (1, 2), dtype), mx.ones((1, 2), dtype))
    assert chosen.dtype == dtype and chosen.tolist() == [[-mx.inf, 1.0]]


def test_a_column_has_a_value_for_each_row_and_is_none_where_it_changes_nothing() -> None:
    made = column([1.0, 0.5], 3, neutral=1.0)
    assert made is not None and made.tolist() == [[1.0] * 3, [0.5] * 3]
    assert column([1.0, 1.0], 3, neutral=1.0) is None


def test_another_thread_may_use_it() -> None:
    made = constant(2.5, (1, 2))
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append((made * made).tolist()))
    thread.start()
    thread.join()
    assert found == [[[6.25, 6.25]]]
