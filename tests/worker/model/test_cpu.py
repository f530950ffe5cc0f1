"""A model that is prepared for a CPU gives the same logits."""

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.nn.layers.distributed import AllToShardedLinear, ShardedToAllLinear, shard_linear
from mlx.utils import tree_flatten

from inference.core.cpu_tuning import ShapeClass, shape_class
from inference.worker.model import cpu
from tests.worker.models import tiny

pytestmark = pytest.mark.mlx
PROMPT = mx.array([[1, 5, 9, 30, 7]])


def prepared(model: nn.Module) -> tuple[nn.Module, list[int]]:
    percents: list[int] = []
    return cpu.prepared(model, percents.append), percents


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("group", [32, 64])
@pytest.mark.parametrize("rows", [1, 7, 1500])
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32])
def test_unpacking_agrees_with_mlx(bits: int, group: int, rows: int, dtype: mx.Dtype) -> None:
    weight = mx.random.normal((rows, 128), key=mx.random.key(rows))
    packed, scales, biases = mx.quantize(weight, group_size=group, bits=bits)
    scales, biases = scales.astype(dtype), biases.astype(dtype)
    ours = cpu.dequantised(packed, scales, biases, bits=bits, group=group)
    theirs = mx.dequantize(
        packed, scales.astype(mx.float32), biases.astype(mx.float32), group_size=group, bits=bits
    )
    assert mx.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
def test_a_quantised_model_answers_as_before(tmp_path: Path, bits: int) -> None:
    model = tiny(tmp_path / "tiny")
    nn.quantize(model, group_size=32, bits=bits)
    before = model(PROMPT)
    mx.eval(before)
    plain, percents = prepared(model)
    assert mx.allclose(plain(PROMPT), before, atol=1e-3)
    assert not any(isinstance(layer, nn.QuantizedLinear) for _, layer in plain.named_modules())
    assert percents == sorted(percents) and all(0 <= percent <= 99 for percent in percents)


@pytest.mark.parametrize("shape", [(640, 64), (96, 64), (64, 64), (32, 64)])
def test_each_weight_has_the_layout_of_its_class(shape: tuple[int, int]) -> None:
    weight = mx.random.normal(shape, key=mx.random.key(3))
    kind = shape_class(*shape)
    for by_row, is_by_row in ((frozenset({kind}), True), (frozenset(set(ShapeClass) - {kind}), False)):
        for given in (weight, cpu.by_column(weight)):
            found = cpu.laid_out(given, by_row)
            mx.eval(found)
            assert mx.array_equal(found, weight)
            assert np.array(found, copy=False).flags.c_contiguous == is_by_row


def test_a_model_by_row_answers_as_one_by_column(tmp_path: Path) -> None:
    model = tiny(tmp_path / "tiny")
    before = model(PROMPT)
    mx.eval(before)
    rows = cpu.prepared(model, lambda percent: None, frozenset(ShapeClass))
    assert mx.allclose(rows(PROMPT), before, atol=1e-3)


def test_half_precision_becomes_fp32(tmp_path: Path) -> None:
    model = tiny(tmp_path / "tiny")
    model.set_dtype(mx.bfloat16)
    plain, _ = prepared(model)
    assert {array.dtype for _, array in tree_flatten(plain.parameters())} == {mx.float32}


def test_biases_are_kept() -> None:
    model = nn.Sequential(nn.Linear(64, 32, bias=True))
    model.layers[0].bias = mx.arange(32) * 1.0
    nn.quantize(model, group_size=32, bits=4)
    plain, _ = prepared(model)
    assert mx.array_equal(plain.layers[0].bias, mx.arange(32) * 1.0)


@pytest.mark.parametrize("sharding", ["all-to-sharded", "sharded-to-all"])
def test_a_quantised_layer_of_a_rank_becomes_a_plain_one(sharding: str) -> None:
    layer = nn.Linear(64, 64)
    quantised = layer.to_quantized(group_size=32, bits=8)
    group = mx.distributed.init()  # of this process alone: the rank's part is the whole
    model = nn.Sequential(shard_linear(quantised, sharding, group=group))
    rows = mx.random.normal((3, 64), key=mx.random.key(1))
    before = model(rows)
    plain, _ = prepared(model)
    assert type(plain.layers[0]) in {AllToShardedLinear, ShardedToAllLinear}
    assert mx.allclose(plain(rows), before, atol=1e-3)
