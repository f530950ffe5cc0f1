"""What `manage.py connect` prints, run as it is printed against a real site."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import BASE_DIR
from tests.clients.live import node
from tests.e2e.site import Site
from tests.nightly import of_each_kind
from tests.scripted_model import ANSWER

pytestmark = pytest.mark.e2e
PROGRAMS = {
    "openai-python": [sys.executable, "-c"],
    "anthropic-python": [sys.executable, "-c"],
    "curl": ["bash", "-c"],
    "openai-node": [str(node.NODE), "--input-type=module", "--eval"],
}


def printed(site: Site, client: str) -> str:
    command = [sys.executable, "manage.py", "connect", client, "--model", "tiny"]
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(site.data_dir), "MLX_SERVER_USE_HUB_CACHE": "false"}
    done = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def cases() -> Iterator[Any]:
    for client in of_each_kind(PROGRAMS, ["openai-python", "curl"]):
        yield pytest.param(client, marks=node.NEEDS_NODE if client == "openai-node" else ())


@pytest.mark.parametrize("client", [*cases()])
def test_a_printed_program_gets_the_answer(scripted_site: Site, client: str) -> None:
    if client == "openai-node":
        node.install()
    text = printed(scripted_site, client)
    assert scripted_site.url in text
    folder: Path = node.FOLDER
    done = subprocess.run([*PROGRAMS[client], text], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert ANSWER in done.stdout
