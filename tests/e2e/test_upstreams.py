"""A real site whose models are answered for by another site of ours and by a real mlx_lm.server."""

import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inference.core.data_folder import DATABASE
from tests.e2e.engines import WAIT_S, eventually, manage, mlx_lm_server, models_of
from tests.e2e.site import Site, fresh_dir


@pytest.fixture(scope="module")
def lm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with mlx_lm_server(tmp_path_factory.mktemp("mlx_lm") / "tiny") as server:
        yield server


@pytest.fixture(scope="module")
def front(tiny_site: Site, lm_server: tuple[str, Any]) -> Iterator[Site]:
    """A site without models of its own, to which `manage.py upstream add` gives three."""
    folder = fresh_dir()
    env = {"MLX_SERVER_UPSTREAM_HOSTS": "127.0.0.1", "MLX_SERVER_TITLES": "false"}
    with Site(folder, "--no-starter", env=env) as site:
        site.wait_ready(WAIT_S)
        theirs, (lm, _) = f"{tiny_site.url}/v1", lm_server
        context = ["--context", "512"]
        added = manage(
            site,
            "add",
            "site",
            theirs,
            "--engine",
            "mlxsite",
            "--model",
            "far=tiny",
            "--model",
            "pair=tiny",
            *context,
        )
        assert "The upstream site answers and lists " in added  # other tests may have models there, too
        names = ["--model", "lm=default_model", "--model", "pair=default_model"]
        manage(site, "add", "mlx-lm", lm, "--engine", "mlx-lm", *names, *context)
        assert "is not in MLX_SERVER_UPSTREAM_HOSTS" in manage(
            site, "add", "elsewhere", "http://10.1.2.3/v1", "--model", "x", is_refused=True
        )
        assert eventually(lambda: models_of(site) == {"far", "lm", "pair"})
        yield site
    shutil.rmtree(folder, ignore_errors=True)


def ask(model: str, text: str = "Hi", **fields: Any) -> dict[str, Any]:
    """The body of a streamed chat."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True, "max_tokens": 12}
    return body | {"stream_options": {"include_usage": True}, "temperature": 0} | fields


def events_of(site: Site, body: dict[str, Any]) -> list[str]:
    """The data of each event of a streamed chat."""
    url = f"{site.url}/v1/chat/completions"
    with httpx.stream("POST", url, json=body, timeout=WAIT_S) as response:
        assert response.status_code == 200, response.read()
        return [line[6:] for line in response.iter_lines() if line.startswith("data: ")]


def record_of(site: Site, model: str) -> tuple[Any, ...] | None:
    """The last recorded request of a model: tokens, how it ended, its error, and whether its client left."""
    with sqlite3.connect(Path(site.data_dir) / DATABASE) as database:
        query = (
            "SELECT prompt_tokens, completion_tokens, finish, error, has_left "
            "FROM inference_requestrecord WHERE model = ? ORDER BY id DESC LIMIT 1"
        )
        row: tuple[Any, ...] | None = database.execute(query, (model,)).fetchone()
    return row


@pytest.mark.parametrize("model", ["far", "lm"])
def test_every_dialect_streams_from_another_server_and_is_recorded(front: Site, model: str) -> None:
    *chunks, usage, done = events_of(front, ask(model))
    assert done == "[DONE]"
    text = "".join(
        choice["delta"].get("content") or "" for one in chunks for choice in json.loads(one)["choices"]
    )
    counted = json.loads(usage)["usage"]
    assert text and counted["completion_tokens"] == 12 and counted["prompt_tokens"] > 0
    assert eventually(lambda: record_of(front, model) is not None)
    assert record_of(front, model) == (counted["prompt_tokens"], 12, "length", "", 0)
    message = httpx.post(
        f"{front.url}/v1/messages",
        json={
            "model": model,
            "max_tokens": 12,
            "temperature": 0,
            "messages": [{"role": "user", "content": "Hi"}],
        },
        timeout=WAIT_S,
    ).json()
    assert message["content"][0]["text"] == text and message["stop_reason"] == "max_tokens"
    raw = {"model": model, "prompt": "Once", "max_tokens": 4, "temperature": 0}
    completion = httpx.post(f"{front.url}/v1/completions", json=raw, timeout=WAIT_S).json()
    assert completion["choices"][0]["finish_reason"] == "length"


def test_what_mlx_lm_server_would_ignore_is_refused_by_name(front: Site) -> None:
    body = ask("lm", response_format={"type": "json_object"})
    refused = httpx.post(f"{front.url}/v1/chat/completions", json=body, timeout=WAIT_S)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "response_format"


def test_a_client_that_leaves_ends_the_work_on_the_other_server(front: Site, tiny_site: Site) -> None:
    def streams() -> int:
        workers = httpx.get(f"{tiny_site.url}/health", timeout=WAIT_S).json()["workers"]
        return sum(worker["streams"] for worker in workers)

    body = ask("far", max_tokens=None)
    with httpx.stream("POST", f"{front.url}/v1/chat/completions", json=body, timeout=WAIT_S) as response:
        next(line for line in response.iter_lines() if "content" in line)
        assert streams() == 1
    assert eventually(lambda: streams() == 0)
    assert eventually(lambda: (record_of(front, "far") or (0,))[-1] == 1)


def test_of_two_servers_one_is_killed_under_load_and_every_stream_ends_once(
    front: Site, lm_server: tuple[str, "subprocess.Popen[bytes]"]
) -> None:
    ends: list[list[str]] = []
    threads = [
        threading.Thread(
            target=lambda n=n: ends.append(events_of(front, ask("pair", str(n), max_tokens=200)))
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    lm_server[1].kill()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(ends) == 8
    for events in ends:
        failed = [one for one in events if '"error"' in one]
        assert (events[-1] == "[DONE]") != bool(failed)
        assert events.count("[DONE]") + len(failed) == 1
    for number in range(4):  # later ones go to the server that is left
        assert events_of(front, ask("pair", f"later {number}"))[-1] == "[DONE]"
