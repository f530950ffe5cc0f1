"""Real sites for the session: with the starter model from the hub, with a tiny model, and with users."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import ROOT, STARTER, Site, add_starter, fresh_dir
from tests.e2e.studio import KEY
from tests.tiny import make_tiny_model, never_ends

MAKE_USERS = """
from django.contrib.auth.models import User
for name in ("ann", "bob", "dora"):
    User.objects.create_user(name, password=f"{name} and her cat")
"""


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
    never_ends(make_tiny_model(folder / "models" / "endless"))
    with Site(folder, "--no-starter", env={"MLX_SERVER_API_KEY": KEY, "MLX_SERVER_TITLES": "false"}) as site:
        site.wait_ready(60)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", MAKE_USERS], cwd=ROOT, env=site._env, check=True
        )
        yield site
    shutil.rmtree(folder, ignore_errors=True)
