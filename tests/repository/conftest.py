"""A fake hub with a tiny model, what fetches from it, and a models folder."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.repository.catalog_scan import change
from tests.repository.fetching import Fetch
from tests.repository.hub import FakeHub
from tests.tiny import make_tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def hub(tiny: Path) -> Iterator[FakeHub]:
    with FakeHub.of(tiny) as hub:
        yield hub


@pytest.fixture
def fetched(hub: FakeHub, tmp_path: Path) -> Fetch:
    return Fetch(hub, tmp_path / "models")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def put(tiny: Path, models: Path) -> Callable[..., Path]:
    """Put a copy of the tiny model below the models folder, with other values in its config.json."""

    def put(name: str, **config: Any) -> Path:
        folder = Path(shutil.copytree(tiny, models / name))
        if config:
            change(folder / "config.json", **config)
        return folder

    return put
