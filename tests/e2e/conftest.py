"""One real site for the session: its first start fetches and converts the real starter model."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import STARTER, Site, fresh_dir


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
