"""Adapters of layers with experts: each row is that of the model which mlx-lm fuses with its adapter."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchGLU, SwitchLinear

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Sequence
from inference.worker.lora.experts import EXPERTS, ChangedExperts
from inference.worker.lora.layers import Factors
from inference.worker.lora.rows import lora_rows
from inference.worker.lora.store import LoraStore
from inference.worker.lora.weights import read, targets
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.mlx_lm_patches import patch_models
from tests.architectures.configs import make
from tests.loras import Shape, write_mlx
from tests.nightly import of_each_kind
from tests.worker.engine.lookup import accepted, eager_batch, predicted
from tests.worker.lora.adapted import adapted, fused_into, lora_of
from tests.worker.models import run, sequence, tokens

pytestmark = pytest.mark.mlx
FAMILIES = ("qwen3_moe", "mixtral", "olmoe")
# With biases, shared experts, one expert for a token, plain feed-forward experts, and layers without any.
OTHERS = ("gpt_oss", "qwen2_moe", "llama4", "phixtral", "deepseek_v3", "granitemoe", "step3p5", "nemotron_h")
NAMES = ("", "experts", "one", "all")
IN, OUT, COUNT = 32, 48, 4


def shapes(model: nn.Module, *, of_experts: bool) -> dict[str, Shape]:
    """The paths and shapes of the layers with experts, or of the other linear ones."""
    kinds = EXPERTS if of_experts else (nn.Linear,)
    return {path: tuple(x.weight.shape) for path, x in targets(model).items() if isinstance(x, kinds)}


def adapters(folder: Path, model: nn.Module, rank: int = 4) -> dict[str, Path]:
    """An adapter of the experts, one of a single layer with experts, and one of all linear layers."""
    experts, others = (shapes(model, of_experts=of_experts) for of_experts in (True, False))
    assert experts and others
    last = dict([list(experts.items())[-1]])
    return {
        "experts": write_mlx(folder / "experts", experts, rank=rank, seed=1),
        "one": write_mlx(folder / "one", last, rank=rank * 5, seed=2),
        "all": write_mlx(folder / "all", experts | others, rank=rank, scale=2.0, seed=3),
    }


class World:
    """A tiny model of a family with its adapters, and the fused models."""

    def __init__(self, family: str, folder: Path) -> None:
        folders = adapters(folder, make(family))
        self.model = adapted(make(family), *folders.values())
        self.fused = {name: fused_into(make(family), path) for name, path in folders.items()}
        self.fused[""] = make(family)
        self._answers: dict[tuple[str, Sequence], list[int]] = {}

    def alone(self, name: str, one: Sequence) -> list[int]:
        """The answer of the fused model, which is computed once."""
        if (name, one) not in self._answers:
            batch = Batch(self.fused[name], max_batch=16, prefill_step=64)
            batch.add(one)
            self._answers[name, one] = tokens(run(batch)[one.id])
        return self._answers[name, one]


@pytest.fixture(scope="module", params=of_each_kind(FAMILIES, FAMILIES[:2]))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(request.param, tmp_path_factory.mktemp("adapters"))


def key(name: str) -> str:
    return f"{name}@1" if name else ""


@pytest.mark.parametrize("can_batch", [True, False], ids=["batch", "one by one"])
def test_each_row_has_its_own_experts(world: World, can_batch: bool) -> None:
    batch = Batch(world.model, max_batch=16, prefill_step=64, support=BatchSupport(can_batch=can_batch))
    names = [*NAMES, *reversed(NAMES)]
    rows = [
        sequence(i, 20 + i, start=i, max_tokens=12, lora=key(name), temperature=0.8 * (i % 2), seed=i)
        for i, name in enumerate(names, start=1)
    ]
    for row in rows:
        batch.add(row)
    made = run(batch)
    for row, name in zip(rows, names, strict=True):
        assert tokens(made[row.id]) == world.alone(name, row), name
    assert len({tuple(world.alone(name, rows[0])) for name in NAMES}) == len(NAMES)


def test_rows_with_changed_experts_verify_their_drafts(world: World) -> None:
    batch = eager_batch(world.model)
    rows = [
        predicted(world.fused[name], sequence(i, 20 + i, start=i, max_tokens=16, lora=key(name)))
        for i, name in enumerate(NAMES, start=1)
    ]
    for row in rows:
        batch.add(row)
    made = run(batch)
    for row, name in zip(rows, NAMES, strict=True):
        assert tokens(made[row.id]) == world.alone(name, row), name
    assert any(accepted(one) for one in made.values())


# In the gate each family once: those of the first half decode, the others have their tokens sorted by expert.
@pytest.mark.parametrize(
    ("length", "family"),
    of_each_kind(
        [(length, family) for length in (1, 40) for family in OTHERS],
        [(1 if place < 4 else 40, family) for place, family in enumerate(OTHERS)],
    ),
)
def test_other_families(family: str, length: int, tmp_path: Path) -> None:
    folders = adapters(tmp_path, make(family))
    model = adapted(make(family), *folders.values())
    ids = mx.array([[(3 + row * 7 + at * 5) % 250 for at in range(length)] for row in range(4)])
    with lora_rows([key(name) for name in NAMES]):
        ours = model(ids)
    for row, name in enumerate(NAMES):
        twin = fused_into(make(family), folders[name]) if name else make(family)
        assert mx.allclose(ours[row], twin(ids[row : row + 1])[0], atol=2e-3, rtol=2e-3).item(), name


def test_a_pass_without_adapters_is_the_bases_to_the_last_bit(world: World) -> None:
    ids = mx.array([[1, 2, 3, 4] * 12])
    assert mx.array_equal(world.model(ids), world.fused[""](ids)).item()


def drawn(*shape: int, seed: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(seed)) * 0.3


def factors(seed: int, rank: int = 8, *, inputs: int = IN) -> Factors:
    return Factors(drawn(COUNT, inputs, rank, seed=seed), drawn(COUNT, rank, OUT, seed=seed + 20))


@pytest.mark.parametrize("is_quantised", [False, True])
def test_a_layer_is_changed_by_row_and_expert(is_quantised: bool) -> None:
    base: Any = SwitchLinear(64, OUT, COUNT)
    base.bias = drawn(COUNT, OUT, seed=5)
    base = base.to_quantized(group_size=32, bits=4) if is_quantised else base
    assert isinstance(base, QuantizedSwitchLinear) == is_quantised
    given = {"a": factors(1, inputs=64), "b": factors(2, 16, inputs=64)}
    layer = ChangedExperts(base)
    layer.put(given)
    x, indices = (
        drawn(3, 2, 1, 1, 64, seed=9),
        mx.array([[[0, 3], [1, 1]], [[2, 0], [3, 2]], [[1, 2], [0, 3]]]),
    )
    for rows in (("a", "", "b"), ("b", "b", "b"), ("", "a", "unknown")):
        with lora_rows(rows):
            ours = layer(x, indices)
        expected = base(x, indices)
        for row, name in enumerate(rows):
            for at in range(2) if name in given else ():
                for place, expert in enumerate(indices[row, at].tolist()):  # type: ignore[arg-type]
                    one = given[name]
                    expected[row, at, place] += (x[row, at, 0] @ one.a[expert]) @ one.b[expert]
        assert mx.allclose(ours, expected, atol=1e-4).item(), rows


def test_a_row_is_not_disturbed_by_experts_that_overflow() -> None:
    base = SwitchLinear(IN, OUT, COUNT)
    layer, huge = ChangedExperts(base), factors(1)
    layer.put({"huge": Factors(huge.a * 1e30, huge.b * 1e30), "a": factors(2)})
    x, indices = drawn(3, 1, 1, 1, IN, seed=9), mx.array([[[0, 1]]] * 3)
    with lora_rows(["huge", "a", ""]):
        y = layer(x, indices)
    assert not mx.isfinite(y[0]).all().item() and mx.isfinite(y[1]).all().item()
    assert mx.array_equal(y[2], base(x, indices)[2]).item()


def test_half_precision_stays_half_precision() -> None:
    patch_models()
    experts = SwitchGLU(IN, OUT, COUNT)
    experts.set_dtype(mx.bfloat16)
    experts.up_proj = ChangedExperts(experts.up_proj)
    experts.up_proj.put({"a": factors(1)})
    x = drawn(2, 40, IN, seed=9).astype(mx.bfloat16)
    indices = mx.array([[[at % 4, (at + 1) % 4] for at in range(40)]] * 2)
    for rows in (("a", ""), ("a", "a")):
        with lora_rows(rows):
            assert experts(x, indices).dtype == mx.bfloat16


def test_an_order_that_nobody_noted_is_no_answer() -> None:
    layer = ChangedExperts(SwitchLinear(IN, OUT, COUNT))
    layer.put({"a": factors(1)})
    with lora_rows(["a", ""]), pytest.raises(RuntimeError, match="order"):
        layer(drawn(8, 1, IN, seed=9), mx.array([0, 0, 1, 1, 2, 2, 3, 3]), sorted_indices=True)


def test_the_order_of_one_pass_is_not_that_of_the_next() -> None:
    patch_models()
    experts = SwitchGLU(IN, OUT, COUNT)
    experts.up_proj = ChangedExperts(experts.up_proj)
    experts.up_proj.put({"a": factors(1)})
    x, indices = drawn(2, 40, IN, seed=9), mx.array([[[at % 4, (at + 1) % 4] for at in range(40)]] * 2)
    with lora_rows(["a", ""]):
        experts(x, indices)
    with lora_rows(["a", ""]), pytest.raises(RuntimeError, match="order"):
        experts.up_proj(x[0, :, None], indices[0, :, 0], sorted_indices=True)


def test_factors_of_another_number_of_experts(tmp_path: Path) -> None:
    model = make("mixtral")
    path, (count, *sizes) = next(iter(shapes(model, of_experts=True).items()))
    folder = write_mlx(tmp_path / "a", {path: (count + 1, *sizes)})
    with pytest.raises(Exception, match=f"its layer {path} is {count + 1} x"):
        read(lora_of(folder), targets(model), is_cpu=True)


def test_experts_that_are_layers_of_their_own_are_not_changed() -> None:
    found = targets(make("dbrx"))
    assert found and not any(".experts." in path for path in found)


def test_quantised_experts_are_measured_by_what_they_stand_for(tmp_path: Path) -> None:
    model = make("mixtral")
    folder = write_mlx(tmp_path / "a", shapes(model, of_experts=True))
    nn.quantize(model, group_size=32, bits=4)
    found = targets(model)
    LoraStore(model, found).add(read(lora_of(folder), found, is_cpu=False))
    assert any(isinstance(layer, ChangedExperts) for _, layer in model.named_modules())
