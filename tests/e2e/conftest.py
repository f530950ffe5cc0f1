"""Real sites for the session: with the starter model from the hub, with a tiny model, and with users."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import STARTER, Site, add_starter, fresh_dir
from tests.e2e.studio import USERS, site_of_users
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
        yield site.wait_ready()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def studio(models_dir: Path) -> Iterator[Site]:
    """A site whose users sign in, with the real starter model and one that never stops talking.

    Its tests have different users where they look at all of a user's conversations.
    """
    folder = fresh_dir()
    add_starter(models_dir, folder, STARTER)
    with site_of_users(folder, *USERS) as site:
        yield site
    shutil.rmtree(folder, ignore_errors=True)
