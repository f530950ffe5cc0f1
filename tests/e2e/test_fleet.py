"""A site for many: two fronts on one PostgreSQL and one Redis behind a proxy, and three engines behind them.

One engine is killed under load. What the site has acknowledged is there, and every stream ends once.
"""

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.engines import eventually, manage, mlx_lm_server, models_of
from tests.e2e.site import Site
from tests.e2e.two_fronts import TwoFronts, two_fronts, web
from tests.nightly import nightly
from tests.postgres import PostgresServer
from tests.redis_server import needs_redis
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.e2e, needs_redis]
MODEL = "shared"
CLIENTS, TOKENS = 6, 400
BEFORE_S, AFTER_S = 4.0, 8.0  # the end of the engine, of the load
ACKNOWLEDGED = 4  # of each kind, before
PAUSE_S = 0.5
ENDLESS = {"temperature": 0}  # only a greedy answer of these models goes on to its limit
# How an answer ends that goes on to its limit, or that its engine lost.
ENDED_CHAT, ENDED_RESPONSE = {"done", "failed"}, {"completed", "incomplete", "failed"}
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
RECORDS = f"SELECT error FROM inference_requestrecord WHERE model = '{MODEL}' ORDER BY id"  # noqa: S608 - our own


@dataclass
class Fleet:
    """The fronts with their engines, and what they recorded."""

    fronts: TwoFronts
    engines: list[Site]
    lm: "subprocess.Popen[bytes]"
    records: Callable[[], list[str]]  # the error of each request to the model

    def kill(self, engine: str) -> None:
        """End one of the engines at once."""
        if engine == "mlx_lm.server":
            self.lm.kill()
        else:
            self.engines.pop().stop(signal.SIGKILL)


@contextmanager
def engine(folder: Path) -> Iterator[Site]:
    """A site of ours that has the model in memory."""
    never_ends(make_tiny_model(folder / "models" / "tiny"))
    with Site(folder, "--no-starter") as site:
        asked = body("Hello", model="tiny", max_tokens=2)
        httpx.post(site.wait_ready().url + CHAT, json=asked, timeout=240).raise_for_status()
        yield site


@pytest.fixture(scope="module")
def fleet(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder, database = tmp_path_factory.mktemp("fleet"), "fleet"
    with ExitStack() as stack:
        engines = [stack.enter_context(engine(folder / f"engine{number}")) for number in (1, 2)]
        lm_url, lm = stack.enter_context(mlx_lm_server(folder / "mlx_lm"))
        url = postgres.create(database)
        fronts = stack.enter_context(two_fronts(folder, "nginx", url))
        for number, one in enumerate(engines):
            add(fronts.one, f"site{number}", f"{one.url}/v1", "mlxsite", "tiny")
        add(fronts.one, "mlx-lm", lm_url, "mlx-lm", "default_model")
        for site in (fronts.one, fronts.other):
            assert eventually(lambda site=site: MODEL in models_of(site))  # type: ignore[misc]
        yield Fleet(fronts, engines, lm, lambda: [row[0] for row in postgres.query(RECORDS, database)])


def add(front: Site, name: str, url: str, kind: str, theirs: str) -> None:
    model = f"{MODEL}={theirs}"
    manage(front, "add", name, url, "--engine", kind, "--model", model, "--context", "2048")


def body(content: str, **fields: Any) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": TOKENS,
        **fields,
    }


@dataclass
class Load:
    """What clients asked for until they were told to end, and what the site acknowledged."""

    is_over: threading.Event = field(default_factory=threading.Event)
    streams: list[list[str]] = field(default_factory=list)  # the events of each
    chats: list[tuple[str, str]] = field(default_factory=list)  # conversations, with their questions
    responses: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def stream(self, url: str, number: int) -> None:
        """Read one stream after the other, each on a connection of its own."""
        while not self.is_over.is_set():
            asked = body(f"{number}, {len(self.streams)}", stream=True, **ENDLESS)
            with web(url) as client, client.stream("POST", CHAT, json=asked) as response:
                lines = list(response.iter_lines())
            if response.status_code != 200:
                self.refused.append("".join(lines))
                continue
            self.streams.append([line[6:] for line in lines if line.startswith("data: ")])

    def chat(self, site: Site) -> None:
        """Begin one chat after the other at this front."""
        with web(site.url) as client:
            client.get("/")
            client.headers["X-CSRFToken"] = client.cookies["mlxsite_csrf"]
            while not self.is_over.is_set():
                content = f"Question {len(self.chats)} of {site.url}"
                asked = {"content": content, "question": {"model": MODEL, **ENDLESS, "max_tokens": TOKENS}}
                response = client.post("/chat/ask/", json=asked)
                if response.status_code == 200:
                    self.chats.append((response.json()["conversation"], content))
                else:
                    self.refused.append(response.text)
                self.is_over.wait(PAUSE_S)

    def respond(self, site: Site) -> None:
        """Begin one response in the background after the other at this front."""
        limit = {"background": True, "max_output_tokens": TOKENS}
        asked = {"model": MODEL, "input": "Go on.", **ENDLESS, **limit}
        with web(site.url) as client:
            while not self.is_over.is_set():
                response = client.post(RESPONSES, json=asked)
                if response.status_code == 200:
                    self.responses.append(response.json()["id"])
                else:
                    self.refused.append(response.text)
                self.is_over.wait(PAUSE_S)


def ending(events: list[str]) -> str:
    """`whole`, or the code of the error that a stream ended with; no stream ends twice, or without a word."""
    assert events, "a stream without an event"
    chunks = [json.loads(one) for one in events if one != "[DONE]"]
    errors = [chunk["error"] for chunk in chunks if "error" in chunk]
    finishes = [one["finish_reason"] for chunk in chunks for one in chunk.get("choices", ())]
    if not errors:
        assert events[-1] == "[DONE]" and events.count("[DONE]") == 1
        assert [one for one in finishes if one] == ["length"]
        return "whole"
    assert len(errors) == 1 and "error" in chunks[-1] and "[DONE]" not in events
    assert not any(finishes)
    return usable(errors[0])


def usable(error: dict[str, Any]) -> str:
    """The code of an error that says what happened, and nothing of addresses here."""
    assert error["message"] and "127.0.0.1" not in error["message"], error
    return str(error["code"])


def chat_status(site: Site, conversation: str, question: str) -> str:
    """How the answer of an acknowledged question is, seen at this front."""
    with web(site.url) as client:
        asked, answer = client.get(f"/chat/conversations/{conversation}/").json()["messages"]
    assert asked["content"] == question
    assert answer["status"] != "done" or answer["content"]
    assert (answer["status"] == "failed") == bool(answer["error"])
    return str(answer["status"])


def response_status(site: Site, number: str) -> str:
    """How an acknowledged response is, seen at this front."""
    with web(site.url) as client:
        found = client.get(f"{RESPONSES}/{number}").json()
    if found["status"] == "failed":
        assert usable(found["error"])
    return str(found["status"])


@nightly
@pytest.mark.parametrize("engine", ["a site of ours", "mlx_lm.server"])
def test_an_engine_is_killed_under_load(fleet: Fleet, engine: str) -> None:
    before = len(fleet.records())
    one, other, proxy = fleet.fronts.one, fleet.fronts.other, fleet.fronts.url
    load = Load()
    with ThreadPoolExecutor(CLIENTS + 4) as clients:
        work = [clients.submit(load.stream, proxy, number) for number in range(CLIENTS)]
        work += [clients.submit(ask, site) for ask in (load.chat, load.respond) for site in (one, other)]
        try:
            time.sleep(BEFORE_S)
            has_begun = eventually(lambda: min(len(load.chats), len(load.responses)) >= ACKNOWLEDGED)
            fleet.kill(engine)
            time.sleep(AFTER_S)
        finally:
            load.is_over.set()
        for done in work:
            done.result(240)
    assert has_begun
    endings = Counter(map(ending, load.streams))
    assert set(endings) == {"whole", "upstream_failed"}
    assert load.refused == []

    def statuses(site: Site) -> tuple[Counter[str], Counter[str]]:
        chats = Counter(chat_status(site, *chat) for chat in load.chats)
        return chats, Counter(response_status(site, number) for number in load.responses)

    def have_ended(site: Site) -> bool:
        chats, responses = statuses(site)
        return set(chats) <= ENDED_CHAT and set(responses) <= ENDED_RESPONSE

    # What one of them acknowledged is known to both, and comes to its end.
    assert all(eventually(lambda site=site: have_ended(site), within_s=120) for site in (one, other)), (  # type: ignore[misc]
        statuses(one),
        statuses(other),
    )
    chats, responses = statuses(one)
    assert statuses(other) == (chats, responses) and chats["done"] and responses["incomplete"]
    failed = endings["upstream_failed"] + chats["failed"] + responses["failed"]
    total = len(load.streams) + len(load.chats) + len(load.responses)
    assert eventually(lambda: len(fleet.records()) == before + total, within_s=30)
    assert Counter(map(bool, fleet.records()[before:])) == {True: failed, False: total - failed}


@nightly
def test_what_is_left_serves_everybody_and_holds_nothing(fleet: Fleet) -> None:
    with web(fleet.fronts.url) as client, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(client.post, CHAT, json=body(f"Later {n}", max_tokens=9)) for n in range(16)]
        assert [one.result().status_code for one in asked] == [200] * 16

    def streams(site: Site) -> int:
        workers = httpx.get(f"{site.url}/health", timeout=60).json()["workers"]
        return sum(worker["streams"] for worker in workers)

    sites = [fleet.fronts.one, fleet.fronts.other, *fleet.engines]
    assert eventually(lambda: not any(map(streams, sites)), within_s=60)
    for site in sites:
        assert httpx.get(f"{site.url}/ready", timeout=60).status_code == 200
        assert "Traceback" not in site.output
