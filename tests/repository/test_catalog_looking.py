"""The catalog while its disk or database is slow, or one of its folders is odd: the others go on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.core.model_card import Choice, ModelCard
from inference.repository import catalog as module
from inference.repository.card_reader import make_card
from inference.repository.catalog import Catalog
from tests.repository.catalog_scan import Clock, scan
from tests.tiny import make_tiny_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def put(models: Path) -> Callable[[str], Path]:
    return lambda name: make_tiny_model(models / name)


def test_a_caller_during_a_slow_scan_receives_the_last_known(put: Callable[..., Path], models: Path) -> None:
    put("tiny")
    clock, gate, stalls = Clock(), threading.Event(), threading.Event()

    def choices() -> dict[str, Choice]:  # it is asked in the middle of a look, as a slow disk is
        if stalls.is_set():
            gate.wait(10)
        return {}

    catalog = Catalog(models, use_hub_cache=False, choices=choices, clock=clock, timeout_s=0.05)
    assert catalog.find("tiny")
    stalls.set()
    clock.now += 2
    put("later")
    assert catalog.find("tiny") and catalog.exact("tiny") and [card.id for card in catalog.scan()] == ["tiny"]
    gate.set()
    while not catalog.find("later"):
        time.sleep(0.01)


def test_a_folder_that_breaks_its_reader_costs_only_itself(
    put: Callable[..., Path], models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put("sound")
    put("odd")

    def make(name: str, *rest: Any) -> ModelCard:
        if name == "odd":
            raise MemoryError
        return make_card(name, *rest)

    monkeypatch.setattr(module, "make_card", make)
    cards = scan(models)
    assert cards["sound"].is_servable and "The model odd cannot be read" in caplog.text
    assert cards["odd"].problem == "it cannot be read; the server's log has the details"
