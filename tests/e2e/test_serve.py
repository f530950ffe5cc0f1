"""`manage.py serve`: its ends, and what it refuses to start with."""

import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import Site, wait_until_gone
from tests.nightly import of_each_kind
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.e2e


def ask(url: str, content: str) -> httpx.Response:
    body = {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 4}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=120)


@dataclass(frozen=True)
class Ended:
    """What is left of a site that had a model loaded when a signal came."""

    status: int
    workers: list[int]  # those that live on
    output: str


def ended(data: Path, number: int) -> Ended:
    with Site(data, "--no-starter", is_new=True) as site:
        assert ask(site.wait_ready(60).url, f"Before signal {number:d}").status_code == 200
        workers = [worker.pid for worker in site.workers]
        status = site.stop(number)
        site._reader.join(5)
    assert workers
    return Ended(status, wait_until_gone(workers), site.output)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_tiny_model(folder / "models" / "tiny")
    return folder


@pytest.fixture(scope="module")
def endings(data: Path) -> dict[int, Ended]:
    """Three sites, one after the other, on the same folder; a capture begins before the last one."""
    found: dict[int, Ended] = {one: ended(data, one) for one in (signal.SIGINT, signal.SIGKILL)}
    begin_capture(data)
    return found | {signal.SIGTERM: ended(data, signal.SIGTERM)}


def begin_capture(data: Path) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    with closing(sqlite3.connect(data / "site.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO inference_capture (until, reason, began_at) VALUES (?, 'a bug', ?)",
            (f"{end:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"),
        )


def test_the_login_is_printed_on_the_first_start_only(endings: dict[int, Ended]) -> None:
    assert ["password" in ending.output for ending in endings.values()] == [True, False, False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_site_and_every_worker(endings: dict[int, Ended], number: int) -> None:
    assert (endings[number].status, endings[number].workers) == (0, [])
    assert "Stopping; active requests end with an error." in endings[number].output
    assert endings[number].output.endswith("\nStopped.\n")


def test_no_worker_outlives_a_killed_site(endings: dict[int, Ended]) -> None:
    assert endings[signal.SIGKILL].workers == []


def test_it_refuses_to_listen_beyond_loopback_without_a_key(tmp_path: Path) -> None:
    with Site(tmp_path, "--no-starter", "--host", "0.0.0.0") as site:
        assert site.process.wait(30) != 0
        site._reader.join(5)
    assert "MLX_SERVER_API_KEY" in site.output


def test_it_refuses_a_wrong_setting_with_its_name(tmp_path: Path) -> None:
    with Site(tmp_path, env={"MLX_SERVER_MEMORY_LIMIT": "lots"}) as site:
        assert site.process.wait(30) != 0
        site._reader.join(5)
    assert "MLX_SERVER_MEMORY_LIMIT" in site.output
    assert "Traceback" not in site.output


SLIPS: list[tuple[tuple[str, ...], dict[str, str], str]] = [
    ((), {"MLX_SERVER_MEMORY_LIMT": "1GB"}, "did you mean MLX_SERVER_MEMORY_LIMIT?"),
    (("--models-dir", "/nowhere"), {}, "CommandError: There is no folder /nowhere"),
]


@pytest.mark.parametrize(("options", "env", "printed"), of_each_kind(SLIPS, SLIPS[:1]))
def test_a_slip_of_the_keyboard_is_named_and_starts_nothing(
    options: tuple[str, ...], env: dict[str, str], printed: str, tmp_path: Path
) -> None:
    with Site(tmp_path, *options, env=env, is_new=True) as site:
        assert site.process.wait(30) != 0
        site._reader.join(5)
    assert printed in site.output and len(site.output.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"secret_key"}


def test_a_capture_goes_on_after_a_restart(data: Path, endings: dict[int, Ended]) -> None:
    with closing(sqlite3.connect(data / "site.sqlite3")) as database:
        ((prompt,),) = database.execute("SELECT prompt FROM inference_requestrecord WHERE prompt != ''")
    assert f"Before signal {signal.SIGTERM:d}" in prompt
