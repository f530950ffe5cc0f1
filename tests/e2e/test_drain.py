"""A SIGTERM: what runs is answered, what comes is refused, and the site ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import Site
from tests.nightly import nightly
from tests.scripted_model import make_scripted_model

pytestmark = pytest.mark.e2e


@contextmanager
def asking(folder: Path, drain_s: float, max_tokens: int) -> Iterator[tuple[Site, Iterator[str]]]:
    """A site, and the lines of an answer in progress; it got a SIGTERM after the tenth."""
    make_scripted_model(folder / "models" / "scripted")
    body = {"model": "scripted", "messages": [{"role": "user", "content": "Go on forever."}], "stream": True}
    with Site(folder, "--no-starter", env={"MLX_SERVER_DRAIN_S": str(drain_s)}) as site:
        url = f"{site.wait_ready(60).url}/v1/chat/completions"
        with httpx.stream("POST", url, json=body | {"max_tokens": max_tokens}, timeout=60) as response:
            lines = response.iter_lines()
            for _ in range(10):
                next(lines)
            assert httpx.get(f"{site.url}/ready").status_code == 200
            site.process.send_signal(signal.SIGTERM)
            yield site, lines


def wait_until_draining(site: Site) -> httpx.Response:
    while (response := httpx.get(f"{site.url}/ready")).status_code == 200:
        continue
    return response


def test_running_answers_finish_and_new_requests_are_refused(tmp_path: Path) -> None:
    with asking(tmp_path, drain_s=60, max_tokens=5000) as (site, lines):
        ready = wait_until_draining(site)
        new = httpx.post(
            f"{site.url}/v1/chat/completions",
            json={"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]},
        )
        rest = [line for line in lines if line]
        status = site.process.wait(30)
    assert ready.json() == {"status": "not ready", "problems": ["the server is shutting down"]}
    assert (new.status_code, new.json()["error"]["code"]) == (503, "shutting_down")
    assert int(new.headers["Retry-After"]) > 0
    assert rest[-1] == "data: [DONE]" and '"finish_reason":"length"' in rest[-2].replace(" ", "")
    assert status == 0 and "may finish within 60 s" in site.output


@nightly
def test_what_takes_longer_is_told_and_ended(tmp_path: Path) -> None:
    with asking(tmp_path, drain_s=1, max_tokens=15_000) as (site, lines):
        rest = [line for line in lines if line]
        status = site.process.wait(30)
    assert "shutting_down" in rest[-1] or "shutting_down" in rest[-2]
    assert "data: [DONE]" not in rest and status == 0


@nightly
def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with asking(tmp_path, drain_s=600, max_tokens=15_000) as (site, _):
        wait_until_draining(site)
        assert site.stop() == 0
