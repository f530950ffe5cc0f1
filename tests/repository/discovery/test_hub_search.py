"""The hub's search: what it is asked, and what becomes of a hub that answers otherwise."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from inference.repository.discovery import hub_search
from inference.repository.discovery.hub_search import Format, SearchOrder, search
from inference.repository.downloads.errors import FetchFailed, HubBusy, HubUnavailable, NotPermitted
from inference.repository.downloads.retry_policy import RetryPolicy
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import LISTING, SEARCH, FakeHub, Refusal


def refusal(kind: type[FetchFailed], hub: FakeHub) -> str:
    with pytest.raises(FetchFailed) as refused:
        search("qwen", endpoint=hub.endpoint)
    assert refused.type is kind
    return str(refused.value)


def test_the_hub_is_asked_once_by_words_format_and_order(hub: FakeHub) -> None:
    hub.results = [entry(), entry("org/Other-4bit")]
    found = search("qwen 4b & more", order=SearchOrder.LIKES, most=5, endpoint=hub.endpoint)
    assert [model.id for model in found] == [QWEN, "org/Other-4bit"]
    [query] = map(parse_qs, hub.searches)
    assert query.pop("expand") == list(hub_search._FIELDS)
    assert query == {"search": ["qwen 4b & more"], "filter": ["mlx"], "sort": ["likes"], "limit": ["5"]}


def test_all_safetensors_models_can_be_searched(hub: FakeHub) -> None:
    search("x", order=SearchOrder.DATE, format=Format.SAFETENSORS, endpoint=hub.endpoint)
    query = parse_qs(hub.searches[0])
    assert (query["filter"], query["sort"]) == (["safetensors"], ["lastModified"])


def test_nothing_is_found(hub: FakeHub) -> None:
    assert search("zzz", endpoint=hub.endpoint) == []


def test_no_more_than_was_asked_for_is_taken(hub: FakeHub) -> None:
    hub.results = [entry(f"a/{number}") for number in range(300)]
    assert len(search("a", most=3, endpoint=hub.endpoint)) == 3
    assert len(search("a", most=1000, endpoint=hub.endpoint)) == hub_search.MOST


@pytest.mark.parametrize("odd", [{"id": "../x"}, {"id": "gpt2"}, {"id": "a/<b>"}, None, 7])
def test_what_cannot_be_downloaded_by_its_id_is_left_out(hub: FakeHub, odd: Any) -> None:
    hub.results = [odd, entry()]
    assert [model.id for model in search("a", endpoint=hub.endpoint)] == [QWEN]


def test_a_token_that_is_not_accepted_is_what_is_wrong(hub: FakeHub) -> None:
    hub.refusals[SEARCH] = [Refusal(401), Refusal(403)]
    assert "does not accept this server's token" in refusal(NotPermitted, hub)
    assert "hf auth login" in refusal(NotPermitted, hub)


def test_a_busy_hub_is_not_asked_again(hub: FakeHub) -> None:
    hub.refusals[SEARCH] = [Refusal(429, {"Retry-After": "60"})]
    assert refusal(HubBusy, hub) == "The hub asks to wait 60 seconds. Search again later."
    assert len(hub.heard) == 1


def test_a_hub_in_trouble_says_so(hub: FakeHub) -> None:
    hub.refusals[SEARCH] = [Refusal(500)]
    assert "an internal problem (status 500). Search again later." in refusal(HubUnavailable, hub)


@pytest.mark.parametrize("answer", [{"error": "x"}, "x", 3])
def test_an_answer_that_is_no_list_is_refused(hub: FakeHub, answer: Any) -> None:
    hub.results = answer
    assert "is not valid" in refusal(HubUnavailable, hub)


def test_another_server_is_no_hub(hub: FakeHub) -> None:
    hub.refusals[SEARCH] = [Refusal(404)]
    assert "not a Hugging Face hub; check HF_ENDPOINT" in refusal(HubUnavailable, hub)


def test_a_hub_that_says_nothing_is_not_waited_for(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_search, "POLICY", RetryPolicy(tries=1, stall_s=0.2))
    hub.holds_after[LISTING] = 0
    assert "sent nothing for" in refusal(HubUnavailable, hub)


def test_a_hub_that_cannot_be_reached_is_named(hub: FakeHub) -> None:
    with FakeHub({}) as gone:
        endpoint = gone.endpoint
    with pytest.raises(HubUnavailable, match=r"127\.0\.0\.1 cannot be reached"):
        search("qwen", endpoint=endpoint)


def test_offline_means_that_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnavailable, match="HF_HUB_OFFLINE is set.*unset it to search it"):
        search("qwen")
