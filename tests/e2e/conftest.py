"""Two real sites for the session: one fetches and converts the real starter model, one has a tiny model."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import STARTER, Site, fresh_dir
from tests.tiny import make_tiny_model, never_ends


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    folder = fresh_dir()
    with Site(folder) as site:
        yield site.wait_ready()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def models_dir(site: Site) -> Path:
    """The folder with the starter model that the session's site fetched."""
    found = Path(site._env["MLX_SERVER_DATA_DIR"]) / "models"
    assert (found / STARTER / "config.json").exists(), site.output
    return found


@pytest.fixture(scope="session")
def tiny_site() -> Iterator[Site]:
    """A real site with the model `tiny`, whose greedy answers end at their length only."""
    folder = fresh_dir()
    never_ends(make_tiny_model(folder / "models" / "tiny"))
    with Site(folder, "--no-starter") as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)
