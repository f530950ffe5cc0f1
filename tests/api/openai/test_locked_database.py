"""A database that another program has locked: what needs none of it goes on, on a real site."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.openai.asking import HELLO, chat_body
from tests.api.openai.site import Site, started

ANSWERS = 12  # more than the event loop's own executor has threads here


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Site]:
    with started(os.environ | {"MLX_SERVER_DATA_DIR": str(data)}) as site:
        httpx.post(f"{site.address}/v1/chat/completions", json=chat_body())
        for model in ("tiny", "vectors"):
            httpx.post(f"{site.address}/v1/embeddings", json={"model": model, "input": "Hi"})
        yield site


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold SQLite's write lock, as a backup or a long command does."""
    with closing(sqlite3.connect(data / "site.sqlite3", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


@contextmanager
def visitor(site: Site) -> Iterator[httpx.Client]:
    """A browser that has the playground open."""
    with httpx.Client(base_url=site.address, timeout=40) as page:
        page.get("/")
        page.headers["X-CSRFToken"] = page.cookies["mlxsite_csrf"]
        yield page


@pytest.fixture
def answering(site: Site) -> Iterator[Site]:
    """Answers of the playground under way, each of which is saved every two seconds."""
    with visitor(site) as page:
        body = {"content": "Hi", "question": {"model": "slow", "max_tokens": 2000}}
        asked = [page.post("/chat/ask/", json=body).json() for _ in range(ANSWERS)]
        yield site
        for one in asked:
            page.post(f"/chat/messages/{one['messages'][-1]['id']}/stop/")


def test_requests_are_admitted_while_the_database_is_locked(answering: Site, data: Path) -> None:
    long = chat_body(messages=[*HELLO * 50, {"role": "user", "content": "x" * 100_000}])
    with locked(data):
        time.sleep(2.5)  # every answer under way now waits to be saved
        with httpx.Client(base_url=answering.address, timeout=10) as client:
            answers = [
                client.post("/v1/chat/completions", json=chat_body()),
                client.post("/v1/chat/completions", json=long),
                client.post("/v1/embeddings", json={"model": "vectors", "input": "Hi"}),
                client.post("/v1/tokenize", json={"model": "tiny", "messages": HELLO}),
                client.get("/v1/models"),
                client.get("/v1/models/tiny"),
            ]
            streamed = client.post("/v1/chat/completions", json=chat_body(stream=True))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert streamed.text.endswith("data: [DONE]\n\n")


def test_conversations_are_read_while_the_database_is_locked(answering: Site, data: Path) -> None:
    with locked(data):
        time.sleep(2.5)
        listed = httpx.get(f"{answering.address}/chat/conversations/", timeout=10)
    assert len(listed.json()["conversations"]) >= ANSWERS


def test_text_generated_meanwhile_is_saved_once_the_lock_is_gone(site: Site, data: Path) -> None:
    with visitor(site) as page:
        body = {"content": "Hi", "question": {"model": "slow", "max_tokens": 2000}}
        asked = page.post("/chat/ask/", json=body).json()
        answer = asked["messages"][-1]["id"]
        with locked(data):
            seen = followed(page, answer, for_s=2.5)  # longer than the time between two saves
        page.post(f"/chat/messages/{answer}/stop/")
        whole = page.get(f"/chat/conversations/{asked['conversation']}/").json()
    saved = whole["messages"][-1]
    assert saved["status"] == "stopped" and seen and saved["content"].startswith(seen)


def followed(page: httpx.Client, answer: int, *, for_s: float) -> str:
    """The text of an answer under way, as a page sees it within this time."""
    text, ends_at = "", time.monotonic() + for_s
    with page.stream("GET", f"/chat/messages/{answer}/events/") as events:
        for line in events.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                is_whole = event["type"] == "answer"
                text = event["answer"]["content"] if is_whole else text + event.get("text", "")
            if time.monotonic() > ends_at:
                break
    return text
