"""A mixed load for a minute, or an hour in the nightly run: nothing fails, and nothing grows.

Its own site, whose processes have nothing else to do. What was measured is printed: memory, descriptors and
threads of the site and of its worker, the memory of the worker's process for templates, and the size of the
database, with their slopes over the second half.
"""

import http.client
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import numpy as np
import psutil
import pytest

from tests.api.openai.site import eventually
from tests.e2e.conversation import CHAT, Answer, ask, chat_body, opened
from tests.e2e.site import Site, fresh_dir, holder
from tests.e2e.test_storm import is_quiet
from tests.nightly import IS_NIGHTLY
from tests.tiny import make_tiny_model, never_ends

pytestmark = pytest.mark.mlx
SECONDS = float(os.environ.get("MLXSITE_SOAK_S", 3600 if IS_NIGHTLY else 60))
CLIENTS = 5
# Between two requests of a client, on average: in the gate other tests run beside this one.
REST_S = 0.0 if IS_NIGHTLY else 1.0
# An answer may take as long as a busy machine needs; that none at all ends for so long is a failure.
STANDSTILL_S = 300.0
PROBLEMS = (AssertionError, OSError, ValueError, KeyError, http.client.HTTPException, httpx.HTTPError)
_MB = 10**6
# What the processes may still grow by in the second half: allocators take memory in blocks of some size.
MOST_GROWTH = 48 * _MB
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
AS_JSON = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "now", "parameters": SCHEMA}}


class Sample(msgspec.Struct, frozen=True):
    """Bytes and counts at one moment, in seconds."""

    at: float
    site_memory: int
    worker_memory: int
    renderer_memory: int  # of the worker's process for templates
    site_descriptors: int
    worker_descriptors: int
    site_threads: int
    worker_threads: int
    database: int


@pytest.fixture
def site() -> Iterator[Site]:
    folder = fresh_dir()
    never_ends(make_tiny_model(folder / "models" / "tiny"))
    with Site(folder, "--no-starter", env={"MLX_SERVER_PREFIX_CACHE": "8MB"}) as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)


# What clients do; each raises where the answer is not as it should be.


def is_answered(url: str, rng: random.Random) -> None:
    assert answer(url, chat_body(messages=talk(rng), max_tokens=rng.randint(1, 40))).status == 200


def is_streamed(url: str, rng: random.Random) -> None:
    body = chat_body(messages=talk(rng), stream=True, max_tokens=rng.randint(1, 60))
    with opened(url, body, timeout_s=None) as client:
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == 200 and response.read().endswith(b"data: [DONE]\n\n")


def leaves(url: str, rng: random.Random) -> None:
    client = opened(url, chat_body(messages=talk(rng), stream=True, max_tokens=1500), timeout_s=None)
    time.sleep(rng.random() / 5)
    client.close()


def completes(url: str, rng: random.Random) -> None:
    body = {"model": "tiny", "prompt": ["one", "two"], "max_tokens": 5, "echo": True, "n": 2}
    assert answer(url, body, "/v1/completions").status == 200


def asks_for_json(url: str, rng: random.Random) -> None:
    body = chat_body(response_format=AS_JSON, max_tokens=60, temperature=1, seed=rng.randint(0, 99))
    found = answer(url, body)
    assert found.status == 200, found


def calls_a_tool(url: str, rng: random.Random) -> None:
    assert answer(url, chat_body(tools=[TOOL], tool_choice="required", max_tokens=60)).status == 200


def errs(url: str, rng: random.Random) -> None:
    wrong: dict[str, Any] = rng.choice(
        [{"model": "none"}, {"messages": []}, {"temperature": 9}, {"odd": 1}, {"tools": 5}]
    )
    assert answer(url, chat_body(**wrong)).status in (400, 404)
    assert answer(url, b"{" * rng.randint(1, 99)).status == 400


def uses_another_dialect(url: str, rng: random.Random) -> None:
    body = {"model": "tiny", "max_tokens": 9, "messages": talk(rng)}
    assert answer(url, body, "/v1/messages").status == 200
    body = {"model": "tiny", "input": "Hi", "max_output_tokens": 9}
    assert answer(url, body, "/v1/responses").status == 200


def looks(url: str, rng: random.Random) -> None:
    for path in ("/", "/health", "/ready", "/v1/models", "/static/playground/format.js", "/metrics"):
        assert httpx.get(url + path, timeout=None).status_code in (200, 302), path  # noqa: S113 - STANDSTILL_S


DEEDS: tuple[Callable[[str, random.Random], None], ...] = (
    *(is_answered, is_streamed, is_streamed, leaves, completes, asks_for_json, calls_a_tool, errs),
    *(uses_another_dialect, looks),
)


def answer(url: str, body: Any, path: str = CHAT) -> Answer:
    return ask(url, body, path, timeout_s=None)


def talk(rng: random.Random) -> list[dict[str, str]]:
    """A conversation that others have begun alike, of up to a few hundred tokens."""
    begin = f"You are the helper number {rng.randint(1, 5)}. " * rng.randint(1, 12)
    return [{"role": "system", "content": begin}, {"role": "user", "content": f"Say {rng.random()}."}]


@dataclass
class Load:
    """Clients that do one thing after the other, each on a thread, until the time is over or one fails."""

    url: str
    seconds: float
    failures: list[str] = field(default_factory=list)
    done: list[int] = field(default_factory=lambda: [0] * CLIENTS)
    last_end: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.began = time.monotonic()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        """Whether clients are at work; after a standstill they have failed."""
        if time.monotonic() - self.last_end > STANDSTILL_S:
            self.failures.append(f"no request has ended for {STANDSTILL_S:.0f} s")
            return False
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, number: int) -> None:
        rng = random.Random(number)  # noqa: S311 - of a load
        while time.monotonic() < self.began + self.seconds and not self.failures:
            deed = rng.choice(DEEDS)
            try:
                deed(self.url, rng)
            except PROBLEMS as error:
                self.failures.append(f"{deed.__name__}: {error!r}")
            self.done[number] += 1
            self.last_end = time.monotonic()
            time.sleep(2 * REST_S * rng.random())


def sampled(site: Site, worker: psutil.Process, started: float) -> Sample:
    own = psutil.Process(site.process.pid)
    files = [path for path in site.data_dir.glob("*.sqlite3*") if path.exists()]
    return Sample(
        time.monotonic() - started,
        own.memory_info().rss,
        worker.memory_info().rss,
        sum(child.memory_info().rss for child in worker.children()),
        own.num_fds(),
        worker.num_fds(),
        own.num_threads(),
        worker.num_threads(),
        sum(path.stat().st_size for path in files),
    )


def slope(samples: list[Sample], name: str) -> float:
    """What `name` grows by in an hour, by a line through the samples."""
    at = [sample.at for sample in samples]
    values = [getattr(sample, name) for sample in samples]
    return float(np.polyfit(at, values, 1)[0]) * 3600


def report(samples: list[Sample], requests: int) -> str:
    rows = [f"{requests} requests in {samples[-1].at:.0f} s; the second half has {len(samples) // 2} samples"]
    for name in msgspec.structs.fields(Sample)[1:]:
        half = samples[len(samples) // 2 :]
        first, last = getattr(samples[0], name.name), getattr(samples[-1], name.name)
        rows.append(f"{name.name}: {first:,} to {last:,}; {slope(half, name.name):+,.0f} an hour")
    return "\n".join(rows)


def test_a_mixed_load_fails_nowhere_and_nothing_grows(site: Site, capsys: Any) -> None:
    assert answer(site.url, chat_body()).status == 200
    worker = holder(site)
    load = Load(site.url, SECONDS)
    before = sampled(site, worker, time.monotonic())
    load.begin()
    samples = []
    while load.is_running:
        samples.append(sampled(site, worker, load.began))
        time.sleep(max(1.0, SECONDS / 600))
    with capsys.disabled():
        print(f"\n{report(samples, sum(load.done))}")
    assert not load.failures, (load.failures, site.output[-3000:])
    assert min(load.done) > 3 and holder(site).pid == worker.pid
    assert eventually(lambda: is_quiet(site.url), within_s=20)
    assert eventually(lambda: is_as_before(sampled(site, worker, load.began), before), within_s=30)
    middle, last = samples[len(samples) // 2], samples[-1]
    assert last.site_memory - middle.site_memory < MOST_GROWTH
    assert last.worker_memory - middle.worker_memory < MOST_GROWTH
    assert last.renderer_memory - middle.renderer_memory < MOST_GROWTH


def is_as_before(now: Sample, before: Sample) -> bool:
    """Whether descriptors and threads are those of a site that has answered one request.

    Thread pools of the site have begun as many threads as they may have, which is a dozen, and those that use
    the database have a connection each.
    """
    return (
        now.site_descriptors <= before.site_descriptors + 24
        and now.worker_descriptors <= before.worker_descriptors + 4
        and now.site_threads <= before.site_threads + 24
        and now.worker_threads <= before.worker_threads + 4
    )
