"""A fake hub with a tiny model, and what fetches from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
