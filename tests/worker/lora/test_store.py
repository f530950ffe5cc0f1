"""Adapters in a running batch: each row's answer is that of the model which mlx-lm fuses with its adapter."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx_lm.utils import load_model

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.lora.rows import lora_rows
from inference.worker.lora.store import LoraStore
from inference.worker.lora.weights import read, targets
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.cache import PrefixCache
from tests.loras import DOWN, EMBEDDING, UP, O, Q, layers, write_mlx, write_peft
from tests.nightly import IS_NIGHTLY, of_each_kind
from tests.tiny import make_tiny_model
from tests.worker.engine.lookup import accepted, eager_batch, predicted
from tests.worker.lora.adapted import adapted, fused, lora_of
from tests.worker.models import run, sequence, tokens

pytestmark = pytest.mark.mlx
VOCABULARY = 264
NAMES = ("", "small", "large", "last", "dora", "embedding", "peft", "peft_dora")
SEEDED: dict[str, Any] = {"temperature": 1.0, "seed": 5}
MIXED: list[tuple[bool, dict[str, Any]]] = [(True, {}), (True, SEEDED), (False, {}), (False, SEEDED)]


class World:
    """A base, its adapters by name, and the fused models."""

    def __init__(self, folder: Path) -> None:
        self.base = make_tiny_model(folder / "tiny")
        at = folder / "tiny" / "adapters"
        self.folders = {
            "small": write_mlx(at / "small", layers(Q, UP), rank=3, seed=1),
            "large": write_mlx(at / "large", layers(Q, O, UP, DOWN), rank=16, scale=2.0, seed=2),
            "last": write_mlx(at / "last", layers(DOWN, numbers=[1]), rank=4, seed=3),
            "dora": write_mlx(at / "dora", layers(Q, DOWN), rank=4, seed=4, is_dora=True),
            "embedding": write_mlx(at / "embedding", {EMBEDDING: (64, VOCABULARY)} | layers(Q), seed=5),
            "peft": write_peft(at / "peft", layers(O, UP), rank=8, seed=6),
            "peft_dora": write_peft(at / "peft_dora", layers(Q, UP), rank=8, seed=7, is_dora=True),
        }
        twins = {
            "peft": write_mlx(folder / "peft", layers(O, UP), rank=8, seed=6),
            "peft_dora": write_mlx(folder / "peft_dora", layers(Q, UP), rank=8, seed=7, is_dora=True),
        }
        self.fused = {
            name: fused(self.base, twins.get(name, path)) for name, path in self.folders.items()
        } | {"": self.plain()}
        self._answers: dict[tuple[str, Sequence], list[int]] = {}

    def plain(self) -> nn.Module:
        model: Any = load_model(self.base)[0]
        model.set_dtype(mx.float32)
        made: nn.Module = model
        return made

    def adapted(self) -> nn.Module:
        return adapted(self.plain(), *self.folders.values())

    def alone(self, name: str, one: Sequence) -> list[int]:
        """The answer of the fused model, which is computed once."""
        if (name, one) not in self._answers:
            batch = Batch(self.fused[name], max_batch=16, prefill_step=64)
            batch.add(one)
            self._answers[name, one] = tokens(run(batch)[one.id])
        return self._answers[name, one]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def model(world: World) -> nn.Module:
    return world.adapted()


def key(name: str) -> str:
    return f"{name}@1" if name else ""


@pytest.mark.parametrize(("can_batch", "sampling"), of_each_kind(MIXED, [(True, SEEDED), (False, {})]))
def test_each_row_of_a_mixed_batch_has_its_own_adapter(
    world: World, model: nn.Module, can_batch: bool, sampling: dict[str, Any]
) -> None:
    support = BatchSupport(can_batch=can_batch)
    batch = Batch(model, max_batch=32, prefill_step=64, support=support)
    names = [*NAMES, *reversed(NAMES)]
    rows = [
        sequence(i, 20 + i, start=i, max_tokens=12, lora=key(name), **sampling)
        for i, name in enumerate(names, start=1)
    ]
    for row in rows:
        batch.add(row)
    made = run(batch)
    for row, name in zip(rows, names, strict=True):
        assert tokens(made[row.id]) == world.alone(name, row), name


def test_rows_with_adapters_verify_their_drafts(world: World, model: nn.Module) -> None:
    batch = eager_batch(model)
    rows = [
        predicted(model, sequence(i, 20 + i, start=i, max_tokens=12, lora=key(name), **SEEDED))
        for i, name in enumerate(NAMES, start=1)
    ]
    for row in rows:
        batch.add(row)
    made = run(batch)
    for row, name in zip(rows, NAMES, strict=True):
        assert tokens(made[row.id]) == world.alone(name, row), name
    assert all(accepted(one) for one in made.values())


def test_the_adapters_change_the_answers(world: World) -> None:
    answers = {name: tuple(world.alone(name, sequence(1, max_tokens=12))) for name in NAMES}
    assert len(set(answers.values())) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one_adapter(world: World, model: nn.Module, name: str) -> None:
    batch = Batch(model, max_batch=16, prefill_step=64)
    rows = [sequence(i, 30, start=i, lora=key(name)) for i in range(1, 4)]
    for row in rows:
        batch.add(row)
    made = run(batch)
    assert [tokens(made[row.id]) for row in rows] == [world.alone(name, row) for row in rows]


def test_rows_that_join_and_leave_keep_their_adapters(world: World, model: nn.Module) -> None:
    batch = Batch(model, max_batch=16, prefill_step=64)
    long = sequence(1, max_tokens=30 if IS_NIGHTLY else 12, lora="large@1", **SEEDED)
    batch.add(long)
    made: list[int] = []
    for number in range(2, 300):
        if len(made) == long.max_tokens:
            break
        name = NAMES[number % len(NAMES)]
        batch.add(sequence(number, 20 + number % 30, start=number, max_tokens=4, lora=key(name)))
        if number % 5 == 0:
            batch.remove(number - 1)
        made += [o.token for o in batch.step() if isinstance(o, Sampled) and o.id == 1]
    assert made == world.alone("large", long)


def test_the_answers_of_one_prompt_share_their_adapter(world: World, model: nn.Module) -> None:
    batch = Batch(model, max_batch=16, prefill_step=64)
    rows = [sequence(i, temperature=1.0, seed=i, lora="small@1") for i in range(1, 4)]
    batch.add(*rows)
    made = run(batch)
    assert [tokens(made[row.id]) for row in rows] == [world.alone("small", row) for row in rows]


def test_a_scored_prompt_is_scored_by_its_adapter(world: World, model: nn.Module) -> None:
    def scores(of: nn.Module, lora: str) -> list[float]:
        batch = Batch(of, max_batch=16, prefill_step=64)
        batch.add(sequence(1, scores_prompt=True, max_tokens=0, lora=lora))
        return [one.value for output in batch.step() for one in getattr(output, "logprobs", ())]

    ours, plain = scores(model, "large@1"), scores(model, "")
    assert ours == pytest.approx(scores(world.fused["large"], ""), abs=1e-4)
    assert ours != pytest.approx(plain, abs=1e-2)


def test_an_adapter_shares_no_prefix_with_its_base(world: World, model: nn.Module) -> None:
    batch = Batch(model, max_batch=16, prefill_step=64, prefix_cache=PrefixCache(10**8))
    first = sequence(1, 100, owner="a", max_tokens=4)
    batch.add(first)
    run(batch)
    second = sequence(2, 100, owner="a with an adapter", lora="small@1")
    batch.add(second)
    assert tokens(run(batch)[2]) == world.alone("small", second)


def test_an_adapter_that_is_taken_out_leaves_the_others(world: World) -> None:
    model = world.plain()
    store = LoraStore(model, found := targets(model))
    for folder in world.folders.values():
        store.add(read(lora_of(folder), found, is_cpu=True))
    store.remove(["large@1", "small@1", "unknown@1"])
    assert set(store.keys) == {key(name) for name in NAMES if name not in {"", "large", "small"}}
    row = sequence(1, lora="dora@1")
    batch = Batch(model, max_batch=16, prefill_step=64)
    batch.add(row)
    assert tokens(run(batch)[1]) == world.alone("dora", row)


def test_a_quantised_base(world: World) -> None:
    """The base's products stay quantised, and the adapter's are added to them."""
    model, twin = world.plain(), world.fused["large"]
    nn.quantize(model, group_size=32, bits=8)
    found = targets(model)
    LoraStore(model, found).add(read(lora_of(world.folders["large"]), found, is_cpu=True))
    ids = mx.array([[1, 2, 3, 4]])
    with lora_rows(["large@1"]):
        ours = model(ids)
    expected = twin(ids)
    atol = 0.15 * float(np.abs(np.array(expected)).max())
    assert mx.allclose(ours, expected, atol=atol).item()
    assert not mx.allclose(model(ids), expected, atol=atol).item()


@pytest.mark.parametrize("shape", [(3, 5, 64), (15, 64), (3, 2, 5, 64)])
def test_rows_are_found_in_inputs_of_any_form(world: World, model: nn.Module, shape: tuple[int, ...]) -> None:
    x = mx.random.normal(shape, key=mx.random.key(1))
    with lora_rows(["small@1", "", "large@1"]):
        ours = model.layers[0].self_attn.q_proj(x).reshape(3, -1, 64)
    rows = x.reshape(3, -1, 64)
    for row, name in enumerate(("small", "", "large")):
        expected = world.fused[name].layers[0].self_attn.q_proj(rows[row])
        assert mx.allclose(ours[row], expected, atol=1e-4).item()


def test_a_row_is_not_disturbed_by_an_adapter_that_overflows(world: World, tmp_path: Path) -> None:
    model = world.plain()
    huge = write_mlx(tmp_path / "huge", layers(Q), scale=1e30, seed=9)
    adapted(model, huge, world.folders["small"])
    batch = Batch(model, max_batch=16, prefill_step=64)
    row, other = sequence(1, lora="small@1"), sequence(2, lora="huge@1", max_tokens=4)
    batch.add(other)
    batch.add(row)
    assert tokens(run(batch)[1]) == world.alone("small", row)
