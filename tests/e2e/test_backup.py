"""A backup of a real site that answers meanwhile, restored into another folder and started."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import ROOT, Site
from tests.nightly import nightly

pytestmark = pytest.mark.e2e


def manage(data: Path, *arguments: str) -> None:
    site = Site(data)  # for its environment
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=site._env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def stored_response(url: str) -> str:
    body = {"model": "tiny", "input": "Hi", "max_output_tokens": 4, "store": True}
    return str(httpx.post(f"{url}/v1/responses", json=body, timeout=60).json()["id"])


@nightly  # the gate has tests/serving/backups
def test_what_was_stored_before_is_there_after_the_restore(tiny_site: Site, tmp_path: Path) -> None:
    data = Path(tiny_site._env["MLX_SERVER_DATA_DIR"])
    before = [stored_response(tiny_site.url) for _ in range(3)]
    with ThreadPoolExecutor() as threads:
        saving = threads.submit(manage, data, "backup", str(tmp_path / "saved.tar"))
        while not saving.done():
            stored_response(tiny_site.url)
        saving.result()
    manage(tmp_path / "restored", "restore", str(tmp_path / "saved.tar"))
    with Site(tmp_path / "restored", "--no-starter") as site:
        url = site.wait_ready(60).url
        assert [httpx.get(f"{url}/v1/responses/{one}", timeout=60).status_code for one in before] == [200] * 3
        assert "password" not in site.output  # its account was restored, too
