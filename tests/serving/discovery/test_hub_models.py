"""Models of the hub, joined with what this server can do with them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from inference.repository.discovery.hub_search import Format, SearchOrder
from inference.repository.downloads.errors import HubBusy, HubUnavailable, NotOnHub
from inference.serving import runtime
from inference.serving.discovery import hub_models
from inference.serving.discovery.hub_models import FoundModel
from tests.fakes import GB, FakeRunner, fake_pool
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import LISTING, REPO, FakeHub


@pytest.fixture(autouse=True)
def pool() -> Iterator[None]:
    hub_models.forget()
    with runtime.use_pool(fake_pool([FakeRunner()], limit_bytes=10 * GB)):
        yield
    hub_models.forget()


def search(words: str = "qwen") -> list[FoundModel]:
    return hub_models.search(words, order=SearchOrder.DOWNLOADS, format=Format.MLX)


@pytest.mark.parametrize(
    ("changes", "capabilities"),
    [
        ({}, ("tools", "thinking")),
        ({"config": {"tokenizer_config": {"chat_template": "{{ messages }}"}}}, ("tools",)),
        ({"config": {}, "pipeline_tag": "image-text-to-text"}, ("pictures",)),
    ],
)
def test_a_result_says_what_it_can_do(
    hub: FakeHub, changes: dict[str, Any], capabilities: tuple[str, ...]
) -> None:
    hub.results = [entry(**changes)]
    [found] = search()
    assert (found.hub.id, found.capabilities) == (QWEN, capabilities)


def test_the_same_search_is_asked_once(hub: FakeHub) -> None:
    assert search() == search() == []
    search("other")
    assert len(hub.searches) == 2


def test_a_model_is_examined_once_and_its_verdict_is_of_the_moment(hub: FakeHub) -> None:
    first = hub_models.examine(REPO)
    assert (first.model.adapter, first.model.capabilities) == ("llama3", ("tools",))
    assert first.verdict.outcome == "fits" and first.disk_problem == ""
    with runtime.use_pool(fake_pool([FakeRunner()], limit_bytes=10**6)):
        assert hub_models.examine(REPO).verdict.outcome == "too_large"
    assert [name for name, _ in hub.heard].count(LISTING) == 1


def test_an_unknown_model_is_asked_for_again(hub: FakeHub) -> None:
    for _ in range(2):
        with pytest.raises(NotOnHub):
            hub_models.examine("org/other")
    assert len(hub.heard) == 2


def test_a_full_disk_is_told_before_the_download(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.core.disk_space.free", lambda place: 10**9)
    assert "the disk has 1.0 GB free" in hub_models.examine(REPO).disk_problem


def test_a_slow_hub_holds_no_more_than_a_few_threads(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_models, "_WAIT_S", 0.1)
    monkeypatch.setattr(hub_models, "_places", threading.BoundedSemaphore(1))
    hub.holds_after[LISTING] = 0
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(hub_models.examine, REPO)
        while not hub.heard:
            time.sleep(0.01)
        with pytest.raises(HubBusy, match="other requests wait for it"):
            search("x")
        hub.go_on.set()  # the hub breaks off
        assert isinstance(waiting.exception(), HubUnavailable)
