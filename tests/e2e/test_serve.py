"""`manage.py serve` as a newcomer meets it: the first start, the addresses, the end."""

import os
import signal
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import STARTER, Site, fresh_dir, holder, wait_until_gone

pytestmark = pytest.mark.e2e


def ask(url: str, content: str = "Say hi", **fields: object) -> httpx.Response:
    body = {"model": STARTER, "messages": [{"role": "user", "content": content}], "max_tokens": 4, **fields}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=120)


def test_the_first_start_sets_everything_up(site: Site, models_dir: Path) -> None:
    data = models_dir.parent
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
    assert (data / "site.sqlite3").exists()
    assert {path.name for path in models_dir.iterdir() if not path.name.startswith(".")} == {STARTER}


def test_it_prints_the_three_addresses_and_the_first_login(site: Site) -> None:
    for part in (f"{site.url}/\n", f"{site.url}/admin/", f"{site.url}/v1", "Sign in to the admin as 'admin'"):
        assert part in site.output


def test_the_login_is_printed_on_the_first_start_only(models_dir: Path) -> None:
    folder = fresh_dir()
    with Site(folder, "--models-dir", str(models_dir)) as first:
        first.wait_ready(60).stop()
    with Site(folder, "--models-dir", str(models_dir)) as second:
        second.wait_ready(60).stop()
    assert ("password" in first.output, "password" in second.output) == (True, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_site_and_every_worker(models_dir: Path, number: int) -> None:
    with Site(fresh_dir(), "--models-dir", str(models_dir)) as site:
        assert ask(site.wait_ready(60).url).status_code == 200
        pids = [worker.pid for worker in site.workers]
        assert site.stop(number) == 0
    assert pids
    assert wait_until_gone(pids) == []


def test_no_worker_outlives_a_killed_site(models_dir: Path) -> None:
    with Site(fresh_dir(), "--models-dir", str(models_dir)) as site:
        ask(site.wait_ready(60).url)
        pids = [worker.pid for worker in site.workers]
        site.stop(signal.SIGKILL)
    assert pids
    assert wait_until_gone(pids) == []


def test_a_killed_worker_ends_its_stream_with_one_error_and_the_next_request_works(site: Site) -> None:
    ask(site.url)
    worker = holder(site)
    body = {
        "model": STARTER,
        "messages": [{"role": "user", "content": "Count to one hundred."}],
        "max_tokens": 400,
        "stream": True,
    }
    lines = []
    with httpx.stream("POST", f"{site.url}/v1/chat/completions", json=body, timeout=60) as response:
        for line in response.iter_lines():
            lines.append(line)
            if len(lines) == 8:
                os.kill(worker.pid, signal.SIGKILL)
    assert [line for line in lines if '"worker_died"' in line] == [
        line for line in lines if '"error"' in line
    ]
    assert sum('"worker_died"' in line for line in lines) == 1
    assert "data: [DONE]" not in lines
    assert ask(site.url).status_code == 200


def test_it_starts_without_any_model_and_says_so(tmp_path: Path) -> None:
    with Site(fresh_dir(), "--no-starter", "--models-dir", str(tmp_path)) as site:
        site.wait_ready(60)
        assert httpx.get(f"{site.url}/v1/models").json()["data"] == []
        assert httpx.get(f"{site.url}/health").status_code == 200


def test_it_refuses_to_listen_beyond_loopback_without_a_key() -> None:
    with Site(fresh_dir(), "--no-starter", "--host", "0.0.0.0") as site:
        assert site.process.wait(30) != 0
        site._reader.join(5)
    assert "MLX_SERVER_API_KEY" in site.output


def test_it_refuses_a_wrong_setting_with_its_name() -> None:
    with Site(fresh_dir(), env={"MLX_SERVER_MEMORY_LIMIT": "lots"}) as site:
        assert site.process.wait(30) != 0
        site._reader.join(5)
    assert "MLX_SERVER_MEMORY_LIMIT" in site.output
    assert "Traceback" not in site.output


def test_a_taken_port_is_a_clear_error(site: Site) -> None:
    port = site.url.rsplit(":", 1)[1]
    with Site(fresh_dir(), "--no-starter", "--port", port) as second:
        assert second.process.wait(30) != 0
        second._reader.join(5)
    assert "Cannot listen" in second.output


def test_a_capture_goes_on_after_a_restart(tiny_site: Site) -> None:
    folder = fresh_dir()
    models = Path(tiny_site._env["MLX_SERVER_DATA_DIR"]) / "models"
    options = ("--no-starter", "--models-dir", str(models))
    with Site(folder, *options) as first:
        first.wait_ready(60).stop()
    end = datetime.now(UTC) + timedelta(hours=1)
    with closing(sqlite3.connect(folder / "site.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO inference_capture (until, reason, began_at) VALUES (?, 'a bug', ?)",
            (f"{end:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"),
        )
    with Site(folder, *options) as second:
        assert ask(second.wait_ready(60).url, "a first question", model="tiny").status_code == 200
        second.stop()
    with closing(sqlite3.connect(folder / "site.sqlite3")) as database:
        ((prompt,),) = database.execute("SELECT prompt FROM inference_requestrecord")
    assert "a first question" in prompt
