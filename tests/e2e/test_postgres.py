"""A real site whose database is on a PostgreSQL server, which ends and comes back."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from inference.core.data_folder import DATABASE
from tests.e2e.conversation import chat_body
from tests.e2e.site import Site
from tests.nightly import nightly
from tests.postgres import PASSWORD, PostgresServer
from tests.tiny import make_tiny_model, never_ends

pytestmark = pytest.mark.e2e
ANSWERS = 24
CHATS = "/chat/conversations/"


@pytest.fixture(scope="module")
def site(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    never_ends(make_tiny_model(folder / "models" / "tiny"))
    env = {"MLX_SERVER_DATABASE_URL": postgres.create("served"), "MLX_SERVER_TITLES": "false"}
    with Site(folder, "--no-starter", env=env, is_new=True) as site:
        yield site.wait_ready(240)


@pytest.fixture
def page(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=60) as page:
        page.get("/")
        page.headers["X-CSRFToken"] = page.cookies["mlxsite_csrf"]
        yield page


def found(page: httpx.Client, query: str) -> list[str]:
    answer = page.get(CHATS, params={"words": query})
    assert answer.status_code == 200, answer.text
    return [one["title"] for one in answer.json()["conversations"]]


def ask(page: httpx.Client, text: str) -> httpx.Response:
    return page.post("/chat/ask/", json={"content": text, "question": {"model": "tiny", "max_tokens": 4}})


def chat(page: httpx.Client, tokens: int = 4) -> httpx.Response:
    return page.post("/v1/chat/completions", json=chat_body(max_tokens=tokens))


def connections(postgres: PostgresServer) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'served'"
    return int(postgres.query(query, "postgres")[0][0])


def settled(postgres: PostgresServer, most: int) -> int:
    """The connections once there are at most so many, or after ten seconds."""
    deadline = time.monotonic() + 10
    while (now := connections(postgres)) > most and time.monotonic() < deadline:
        time.sleep(0.2)
    return now


def test_chats_are_stored_recorded_and_found_there(
    site: Site, page: httpx.Client, postgres: PostgresServer
) -> None:
    assert not (site.data_dir / DATABASE).exists()
    assert ask(page, "Où est le café \0 de la gare?").status_code == 200
    assert chat(page).status_code == 200
    assert found(page, "CAFE") == found(page, "ca") and len(found(page, "cafe")) == 1
    deadline = time.monotonic() + 20
    records = "SELECT count(*) FROM inference_requestrecord WHERE model = 'tiny'"
    while postgres.query(records, "served")[0][0] < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert postgres.query(records, "served")[0][0] == 2
    assert page.get("/ready").status_code == 200


def test_answers_keep_no_connections(site: Site, page: httpx.Client, postgres: PostgresServer) -> None:
    with ThreadPoolExecutor(ANSWERS) as threads:
        answers = [threads.submit(chat, page, 64) for _ in range(ANSWERS)]
        most = max(connections(postgres) for _ in range(10))
        assert [one.result().status_code for one in answers] == [200] * ANSWERS
    assert most < ANSWERS
    assert settled(postgres, 2) <= 2


def test_the_site_outlives_the_server(site: Site, page: httpx.Client, postgres: PostgresServer) -> None:
    postgres.stop(signal.SIGQUIT)
    try:
        refused = ask(page, "Nobody keeps this")
        assert refused.status_code == 503 and "database" in refused.json()["error"]["message"]
        assert refused.headers["Retry-After"]
        assert page.get(CHATS).status_code == 503
        assert chat(page).status_code == 200  # it needs no database; its record waits
        assert page.get("/ready").status_code == 503
    finally:
        postgres.start()
    assert ask(page, "Kept again").status_code == 200
    assert found(page, "kept again") == ["Kept again"]
    assert PASSWORD not in site.output


@nightly
def test_a_server_that_cannot_be_used_is_one_line(postgres: PostgresServer, tmp_path: Path) -> None:
    wrong = postgres.url("postgres").replace(PASSWORD, "a-wrong-secret")
    with Site(tmp_path, "--no-starter", env={"MLX_SERVER_DATABASE_URL": wrong}, is_new=True) as site:
        assert site.process.wait(60) != 0
        site._reader.join(5)
    (line,) = site.output.splitlines()
    assert line.startswith("CommandError: The database postgres of MLX_SERVER_DATABASE_URL cannot be used")
    assert "a-wrong-secret" not in line and "password authentication failed" in line
