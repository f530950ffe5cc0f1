"""One changed layer, against the same matrix with the change added to it."""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest

from inference.worker.lora.layers import Changed, ChangedEmbedding, ChangedLinear, Factors
from inference.worker.lora.rows import lora_rows

pytestmark = pytest.mark.mlx
IN, OUT = 32, 48
ROWS = ("a", "", "b", "a", "c")


def drawn(*shape: int, seed: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(seed)) * 0.3


def factors(
    seed: int, rank: int = 8, *, inputs: int = IN, outputs: int = OUT, is_dora: bool = False
) -> Factors:
    gain = mx.abs(drawn(outputs, seed=seed + 50)) + 0.5 if is_dora else None
    shift = drawn(outputs, seed=seed + 70) if is_dora else None
    return Factors(drawn(inputs, rank, seed=seed), drawn(rank, outputs, seed=seed + 20), gain, shift)


def by_hand(base: Any, x: mx.array, one: Factors | None) -> mx.array:
    y: mx.array = base(x)
    if one is None:
        return y
    if one.gain is not None and one.shift is not None:
        y = y * one.gain + one.shift
    return y + (x @ one.a) @ one.b


@pytest.mark.parametrize("tokens", [1, 5])
@pytest.mark.parametrize("rows", [ROWS, ("a", "a"), ("",), ("b", "", ""), ("unknown", "a")])
def test_each_row_is_changed_by_its_own(tokens: int, rows: tuple[str, ...]) -> None:
    base = nn.Linear(IN, OUT)
    adapters = {"a": factors(1), "b": factors(2, 16), "c": factors(3, is_dora=True)}
    layer = ChangedLinear(base)
    layer.put(adapters)
    x = drawn(len(rows), tokens, IN, seed=9)
    with lora_rows(rows):
        y = layer(x)
    for row, key in enumerate(rows):
        assert mx.allclose(y[row], by_hand(base, x[row], adapters.get(key)), atol=1e-5).item(), key


def test_a_row_without_an_adapter_is_the_bases_to_the_last_bit() -> None:
    base = nn.Linear(IN, OUT)
    layer = ChangedLinear(base)
    layer.put({"a": factors(1), "b": factors(2, is_dora=True)})
    x = drawn(3, 2, IN, seed=9)
    assert mx.array_equal(layer(x), base(x)).item()
    with lora_rows(["a", "", "b"]):
        assert mx.array_equal(layer(x)[1], base(x)[1]).item()


def test_an_adapter_that_overflows_disturbs_no_other_row() -> None:
    base = nn.Linear(IN, OUT)
    layer = ChangedLinear(base)
    huge = factors(1)
    layer.put({"huge": Factors(huge.a * 1e30, huge.b * 1e30), "a": factors(2)})
    x = drawn(3, 1, IN, seed=9)
    with lora_rows(["huge", "a", ""]):
        y = layer(x)
    assert not mx.isfinite(y[0]).all().item()
    assert mx.allclose(y[1], by_hand(base, x[1], factors(2)), atol=1e-5).item()
    assert mx.array_equal(y[2], base(x)[2]).item()


def test_adapters_come_and_go_and_are_replaced() -> None:
    base = nn.Linear(IN, OUT)
    layer, x = ChangedLinear(base), drawn(1, 2, IN, seed=9)

    def answer(key: str) -> mx.array:
        with lora_rows([key]):
            made: mx.array = layer(x)
        return made

    layer.put({"a": factors(1)})
    layer.put({"b": factors(2)})
    assert set(layer.keys_of_adapters) == {"a", "b"}
    layer.put({"a": factors(3, 24)})
    assert mx.allclose(answer("a"), by_hand(base, x, factors(3, 24)), atol=1e-5).item()
    layer.remove(["a", "unknown"])
    assert mx.array_equal(answer("a"), base(x)).item()
    assert mx.allclose(answer("b"), by_hand(base, x, factors(2)), atol=1e-5).item()
    layer.remove(["b"])
    assert layer.keys_of_adapters == ()


def test_half_precision_stays_half_precision() -> None:
    base = nn.Linear(IN, OUT)
    base.set_dtype(mx.bfloat16)
    layer = ChangedLinear(base)
    layer.put({"a": factors(1), "b": factors(2, is_dora=True)})
    x = drawn(2, 3, IN, seed=9).astype(mx.bfloat16)
    for rows in (("a", "b"), ("a", "a"), ("b", "")):
        with lora_rows(rows):
            assert layer(x).dtype == mx.bfloat16


def test_a_quantised_layer_is_changed_as_it_is() -> None:
    base = nn.QuantizedLinear.from_linear(nn.Linear(64, OUT), group_size=32, bits=4)
    one = factors(1, inputs=64)
    layer = ChangedLinear(base)
    layer.put({"a": one})
    x = drawn(2, 1, 64, seed=9)
    with lora_rows(["a", ""]):
        y = layer(x)
    assert mx.allclose(y[0], by_hand(base, x[0], one), atol=1e-5).item()
    assert mx.allclose(y[1], base(x[1]), atol=1e-5).item()


@pytest.mark.parametrize("rows", [("a", "", "b"), ("a", "a", "a")])
def test_embeddings_are_changed_as_input_and_as_head(rows: tuple[str, ...]) -> None:
    base = nn.Embedding(50, IN)
    adapters = {"a": factors(1, inputs=50, outputs=IN), "b": factors(2, 16, inputs=50, outputs=IN)}
    layer = ChangedEmbedding(base)
    layer.put(adapters)
    ids = mx.array([[1, 2], [3, 4], [5, 6]])
    x = drawn(3, 2, IN, seed=9)
    with lora_rows(rows):
        embedded, logits = layer(ids), layer.as_linear(x)
    for row, key in enumerate(rows):
        one = adapters.get(key)
        matrix = base.weight + one.a @ one.b if one else base.weight
        assert mx.allclose(embedded[row], matrix[ids[row]], atol=1e-5).item()
        assert mx.allclose(logits[row], x[row] @ matrix.T, atol=1e-4).item()


def test_what_a_model_reads_of_its_layer_is_the_bases() -> None:
    base = nn.QuantizedLinear.from_linear(nn.Linear(64, OUT), group_size=32, bits=4)
    layer = ChangedLinear(base)
    assert layer.weight is base.weight and layer.bits == 4 and layer.base is base
    with pytest.raises(AttributeError):
        _ = layer.unknown


def test_the_stacks_are_no_parameters_of_the_model() -> None:
    layer: Changed = ChangedLinear(nn.Linear(IN, OUT))
    layer.put({"a": factors(1)})
    assert set(layer.parameters()) == {"base"}
