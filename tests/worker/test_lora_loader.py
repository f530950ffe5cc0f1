"""The loading of adapters beside the engine, which the test plays."""

import queue
import threading
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.core.requests import Lora
from inference.worker.engine.commands import InstallLora, RemoveLoras
from inference.worker.lora.weights import targets
from inference.worker.lora_loader import LoraLoader
from tests.loras import Q, layers, write_mlx
from tests.worker.lora.adapted import lora_of
from tests.worker.models import tiny

pytestmark = pytest.mark.mlx


class Scene:
    """A loader, the commands that the engine gets, and what those who wait are told."""

    def __init__(self, model: nn.Module) -> None:
        self.commands: queue.Queue[Any] = queue.Queue()
        self.problems: queue.Queue[str] = queue.Queue()
        self.loader = LoraLoader(targets(model), is_cpu=True, post=self.commands.put)

    def ask(self, lora: Lora) -> bool:
        return self.loader.is_ready(lora, self.problems.put)

    def install(self, *, removed: tuple[str, ...] = (), has_failed: bool = False) -> InstallLora:
        command = self.commands.get(timeout=10)
        assert isinstance(command, InstallLora)
        command.then(removed, has_failed)
        return command


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tiny(tmp_path / "tiny"))


@pytest.fixture
def lora(tmp_path: Path) -> Lora:
    return lora_of(write_mlx(tmp_path / "pirate", layers(Q)))


def test_an_adapter_is_read_once_for_all_that_wait(scene: Scene, lora: Lora) -> None:
    assert [scene.ask(lora) for _ in range(5)] == [False] * 5
    assert scene.install().weights.key == "pirate@1"
    assert [scene.problems.get(timeout=10) for _ in range(5)] == [""] * 5
    assert scene.ask(lora)
    assert scene.commands.empty()


def test_those_who_wait_hear_why_it_cannot_be_used(scene: Scene, tmp_path: Path) -> None:
    broken = Lora(name="broken", path=str(tmp_path), version="1")
    assert not scene.ask(broken)
    assert scene.problems.get(timeout=10) == "it has no adapter_config.json"
    assert not scene.ask(broken)  # it may have been corrected
    assert scene.problems.get(timeout=10)


def test_an_adapter_that_the_engine_cannot_take_is_tried_again(scene: Scene, lora: Lora) -> None:
    assert not scene.ask(lora)
    scene.install(has_failed=True)
    assert "could not be loaded" in scene.problems.get(timeout=10)
    assert not scene.ask(lora)
    scene.install()
    assert scene.problems.get(timeout=10) == ""


def test_an_error_of_any_kind_fails_its_own_requests_alone(
    scene: Scene, lora: Lora, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any, **more: Any) -> None:
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr("inference.worker.lora_loader.read", fail)
        assert not scene.ask(lora)
        assert "could not be loaded" in scene.problems.get(timeout=10)
    assert not scene.ask(lora)
    scene.install()
    assert scene.problems.get(timeout=10) == ""


def test_a_dropped_adapter_is_loaded_again(scene: Scene, lora: Lora) -> None:
    scene.ask(lora)
    scene.install()
    scene.loader.drop(["pirate", "unknown"])
    assert scene.commands.get(timeout=10) == RemoveLoras(("pirate@1",))
    assert not scene.ask(lora)
    scene.install()


def test_an_earlier_version_that_was_taken_out_is_not_ready(scene: Scene, lora: Lora) -> None:
    scene.ask(lora)
    scene.install()
    newer = Lora(name=lora.name, path=lora.path, version="2")
    assert not scene.ask(newer)
    scene.install(removed=("pirate@1",))
    assert scene.problems.get(timeout=10) == scene.problems.get(timeout=10) == ""
    assert scene.ask(newer) and not scene.ask(lora)


def test_the_thread_that_asks_never_waits(scene: Scene, lora: Lora) -> None:
    asking = threading.Thread(target=scene.ask, args=(lora,))
    asking.start()
    asking.join(5)
    assert not asking.is_alive()
    scene.install()
