"""One site with the scripted model for all clients, and one process for each client."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from inference.core.config import BASE_DIR
from tests.clients.live import node, page
from tests.clients.live.clients import IS_NIGHTLY, Client
from tests.e2e.site import Site, fresh_dir
from tests.scripted_model import make_scripted_model

# It needs programs that take a gigabyte.
collect_ignore = [] if IS_NIGHTLY else ["test_evaluation.py"]
Outcomes = Callable[[Client], dict[str, Any]]
OBSIDIAN = "app://obsidian.md"  # the origin of its pages


@pytest.fixture(scope="session")
def scripted_site() -> Iterator[Site]:
    folder = fresh_dir()
    make_scripted_model(folder / "models" / "tiny")
    with Site(folder, "--no-starter", env={"MLX_SERVER_ALLOWED_ORIGINS": OBSIDIAN}) as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def outcomes(scripted_site: Site) -> Outcomes:
    """What a client's program found, by surface and case; `page` has what the page's examples printed."""

    @cache
    def run(client: Client) -> dict[str, Any]:
        if client.program:
            node.install()
            command = [str(node.NODE), str(node.FOLDER / "programs" / client.program), scripted_site.url]
            given: list[str] = []
        else:
            program = "tests.clients.live.programs.run"
            command = [sys.executable, "-m", program, scripted_site.url, *client.surfaces]
            given = [e.at(scripted_site.url) for e in page.examples("python") if e.package == client.package]
        done = subprocess.run(
            command,
            cwd=BASE_DIR,
            # LiteLLM's import fetches its list of prices otherwise.
            env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "true"},
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return run
