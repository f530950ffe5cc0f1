"""Adapters on the engine's thread: put in between two steps, never taken out under a running sequence."""

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from inference.worker.engine.commands import Add, InstallLora, Remove, RemoveLoras
from inference.worker.lora.layers import Factors
from inference.worker.lora.weights import LoraWeights
from tests.worker.engine.test_engine import POISON, SOUND, Bench
from tests.worker.models import Poisoned, sequence, tiny

pytestmark = pytest.mark.mlx
Q0 = "inner.model.layers.0.self_attn.q_proj"


def weights(key: str, seed: int = 1, path: str = Q0, inputs: int = 64) -> LoraWeights:
    a = mx.random.normal((inputs, 8), key=mx.random.key(seed))
    b = mx.random.normal((8, 64), key=mx.random.key(seed + 1))
    mx.eval(a, b)  # before they change threads
    return LoraWeights(key, {path: Factors(a, b)})


class Scene(Bench):
    """An engine, and what it answers to installations."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: Poisoned(tiny(folder), POISON))
        assert self.load() == "loaded"
        self.installed: queue.Queue[tuple[tuple[str, ...], bool]] = queue.Queue()

    def install(self, given: LoraWeights) -> tuple[tuple[str, ...], bool]:
        self.engine.post(
            InstallLora(given, lambda removed, failed: self.installed.put((tuple(removed), failed)))
        )
        return self.installed.get(timeout=30)

    def answer(self, number: int, lora: str, **fields: Any) -> list[int]:
        self.engine.post(Add((sequence(number, lora=lora, logit_bias=SOUND, **fields),)))
        assert self.end() == (number, "length")
        return self.generated[number]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "tiny")
    yield made
    made.stop()


def test_a_new_version_takes_the_place_of_one_that_nobody_uses(scene: Scene) -> None:
    assert scene.install(weights("a@1")) == ((), False)
    first = scene.answer(1, "a@1")
    assert scene.install(weights("a@2", seed=5)) == (("a@1",), False)
    assert scene.answer(2, "a@2") != first
    assert scene.install(weights("b@1")) == ((), False)


def test_a_version_that_is_in_use_stays_until_the_next_one(scene: Scene) -> None:
    scene.install(weights("a@1"))
    expected = scene.answer(1, "a@1", max_tokens=200)
    scene.engine.post(Add((sequence(2, lora="a@1", logit_bias=SOUND, max_tokens=200, owner="2"),)))
    assert scene.install(weights("a@2", seed=5)) == ((), False)
    assert scene.end() == (2, "length")
    assert scene.generated[2] == expected
    assert scene.install(weights("a@3", seed=9)) == (("a@1", "a@2"), False)


def test_adapters_in_use_are_not_removed(scene: Scene) -> None:
    scene.install(weights("a@1"))
    scene.install(weights("b@1", seed=7))
    expected = scene.answer(1, "a@1", max_tokens=200)
    scene.engine.post(Add((sequence(2, lora="a@1", logit_bias=SOUND, max_tokens=200, owner="2"),)))
    scene.engine.post(RemoveLoras(("a@1", "b@1", "unknown")))
    assert scene.end() == (2, "length")
    assert scene.generated[2] == expected
    assert scene.memory_reports
    scene.engine.post(Add((sequence(3, lora="b@1", logit_bias=SOUND),)))
    assert scene.end() == (3, "lost")


def test_a_sequence_whose_adapter_is_gone_is_lost_and_not_computed_without_it(scene: Scene) -> None:
    scene.engine.post(Add((sequence(1, lora="a@1"), sequence(2, lora="a@1"))))
    assert {scene.end(), scene.end()} == {(1, "lost"), (2, "lost")}
    scene.answer(3, "")


def test_an_adapter_that_cannot_be_put_in_leaves_nothing_behind(scene: Scene) -> None:
    plain = scene.answer(1, "")
    assert scene.install(weights("a@1", path="inner.model.layers.0.nothing")) == ((), True)
    assert scene.answer(2, "", owner="2") == plain
    assert scene.install(weights("a@1")) == ((), False)
    assert scene.answer(3, "a@1", owner="3") != plain


def test_adapters_survive_the_recovery_of_a_failed_step(scene: Scene) -> None:
    scene.install(weights("a@1"))
    expected = scene.answer(1, "a@1", max_tokens=60)
    scene.engine.post(Add((sequence(2, lora="a@1", logit_bias=SOUND, max_tokens=60, owner="2"),)))
    scene.engine.post(Add((sequence(3, prompt=(1, 2, POISON, 4)),)))
    assert {scene.end(), scene.end()} == {(2, "length"), (3, "lost")}
    assert scene.generated[2] == expected
    scene.engine.post(Remove(2))
