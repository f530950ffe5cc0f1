import email.utils
import time
from datetime import UTC, datetime, timedelta

import pytest

from inference.repository.downloads.errors import FetchFailed, HubBusy, HubUnavailable, NotOnHub, NotPermitted
from inference.repository.downloads.hub import download
from tests.repository.fetching import Fetch
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal

WEIGHTS = "model.safetensors"
TOKEN = "hf_not_for_strangers"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)


def test_the_hub_hears_the_token(fetched: Fetch, hub: FakeHub) -> None:
    fetched()
    assert {header for _, header in hub.heard} == {f"Bearer {TOKEN}"}


def test_another_host_does_not(fetched: Fetch, hub: FakeHub) -> None:
    with FakeHub(hub.files) as other:
        hub.elsewhere = other.endpoint
        fetched()
        assert other.heard == [(WEIGHTS, "")] and fetched.is_whole
    assert (WEIGHTS, f"Bearer {TOKEN}") in hub.heard


def test_nor_does_the_hub_when_the_other_host_sends_us_back(fetched: Fetch, hub: FakeHub) -> None:
    with FakeHub(hub.files) as other:
        hub.elsewhere, other.elsewhere = other.endpoint, hub.endpoint
        assert "in a loop" in fetched.refusal(HubUnavailable)
        assert {header for _, header in other.heard} == {""}
    assert [header for name, header in hub.heard if name == WEIGHTS] == [f"Bearer {TOKEN}", "", ""]


def test_nor_does_the_same_host_under_another_name(fetched: Fetch, hub: FakeHub) -> None:
    with FakeHub(hub.files) as other:
        hub.elsewhere = other.endpoint.replace("127.0.0.1", "localhost")
        fetched()
        assert other.heard == [(WEIGHTS, "")]


def test_going_on_works_elsewhere_too(fetched: Fetch, hub: FakeHub) -> None:
    with FakeHub(hub.files) as other:
        hub.elsewhere = other.endpoint
        other.breaks_after[WEIGHTS] = 1000
        fetched()
        assert other.ranges(WEIGHTS) == ["", "bytes=1000-"] and fetched.is_whole


def test_an_address_that_ran_out_elsewhere_is_asked_for_again(fetched: Fetch, hub: FakeHub) -> None:
    with FakeHub(hub.files) as other:
        hub.elsewhere = other.endpoint
        other.refusals[WEIGHTS] = [Refusal(403)]
        fetched()
        assert fetched.is_whole


def test_a_redirect_on_the_hub_itself_keeps_the_token(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[WEIGHTS] = [Refusal(307, {"Location": f"/org/tiny/resolve/{'c' * 40}/{WEIGHTS}"})]
    fetched()
    assert hub.heard[-2:] == [(WEIGHTS, f"Bearer {TOKEN}")] * 2 and fetched.is_whole


@pytest.mark.parametrize("there", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_other_ways_are_not_followed(fetched: Fetch, hub: FakeHub, there: str) -> None:
    hub.refusals[WEIGHTS] = [Refusal(302, {"Location": there})]
    assert "redirects" in fetched.refusal(HubUnavailable)


@pytest.mark.parametrize(
    ("refusal", "kind", "says"),
    [
        (Refusal(401, {"X-Error-Code": "GatedRepo"}), NotPermitted, "Accept its licence at http://"),
        (Refusal(403, {"X-Error-Code": "GatedRepo"}), NotPermitted, "set HF_TOKEN, and download again"),
        (Refusal(401), NotPermitted, "set HF_TOKEN to a token that may read it"),
        (Refusal(403), NotPermitted, "whether you have to accept a licence"),
        (Refusal(404), NotOnHub, "Check the spelling"),
        (
            Refusal(404, {"X-Error-Code": "EntryNotFound"}),
            NotOnHub,
            "a file of org/tiny that it does not have",
        ),
        (Refusal(418), HubUnavailable, "status 418"),
        (Refusal(429, {"Retry-After": "3600"}), HubBusy, "asks to wait 60 minutes"),
        (Refusal(429, {"Retry-After": "90"}), HubBusy, "asks to wait 90 seconds"),
        (Refusal(429, {"Retry-After": "86400"}), HubBusy, "asks to wait 24 hours"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("name", [LISTING, WEIGHTS])
def test_a_refusal_says_what_to_do_and_is_not_asked_again(
    fetched: Fetch, hub: FakeHub, name: str, refusal: Refusal, kind: type[FetchFailed], says: str
) -> None:
    hub.refusals[name] = [refusal]
    assert says in fetched.refusal(kind)
    assert [heard for heard, _ in hub.heard].count(name) == 1
    fetched()
    assert fetched.is_whole


@pytest.mark.parametrize("name", [LISTING, "config.json", WEIGHTS])
@pytest.mark.parametrize("refusal", [Refusal(500), Refusal(503), Refusal(408), Refusal(429)], ids=str)
def test_passing_trouble_passes(fetched: Fetch, hub: FakeHub, name: str, refusal: Refusal) -> None:
    hub.refusals[name] = [refusal, refusal]
    fetched()
    assert fetched.is_whole and [heard for heard, _ in hub.heard].count(name) == 3


def test_the_advice_mentions_kept_bytes_only_where_there_are_any(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(503)] * 3
    assert fetched.refusal(HubUnavailable).endswith("(status 503). Try again later.")
    hub.refusals[WEIGHTS] = [Refusal(503)] * 3
    kept = "(status 503). The partial files are kept; download again to continue."
    assert fetched.refusal(HubUnavailable).endswith(kept)
    hub.refusals[LISTING] = [Refusal(503)] * 3
    assert fetched.refusal(HubUnavailable).endswith(kept)


@pytest.mark.parametrize("name", [LISTING, WEIGHTS])
def test_patience_ends(fetched: Fetch, hub: FakeHub, name: str) -> None:
    hub.refusals[name] = [Refusal(503)] * 3
    assert "an internal problem (status 503)" in fetched.refusal(HubUnavailable)
    hub.refusals[name] = [Refusal(429)] * 3
    assert "is limiting the rate of requests" in fetched.refusal(HubBusy)


def test_it_waits_as_long_as_it_is_asked_to(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[WEIGHTS] = [Refusal(429, {"Retry-After": "1"})]
    began = time.monotonic()
    reports = fetched()
    assert time.monotonic() - began >= 1
    assert any("asks to wait 1 seconds" in progress.note for progress in reports)


def test_a_time_of_day_to_wait_for_is_understood(fetched: Fetch, hub: FakeHub) -> None:
    until = email.utils.format_datetime(datetime.now(UTC) + timedelta(hours=5), usegmt=True)
    hub.refusals[WEIGHTS] = [Refusal(429, {"Retry-After": until})]
    assert "asks to wait 5 hours" in fetched.refusal(HubBusy)


def test_a_wait_that_makes_no_sense_is_none(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[WEIGHTS] = [Refusal(429, {"Retry-After": "soon"})]
    fetched()
    assert fetched.is_whole


def test_a_hub_that_refuses_anonymous_callers_suggests_a_token(
    fetched: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetched.refusal(NotOnHub, "org/other").endswith("Check the spelling.")
    monkeypatch.delenv("HF_TOKEN")
    assert "or it is private" in fetched.refusal(NotOnHub, "org/other")


def test_what_is_no_hub_is_reported(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(200)]
    assert "is not a Hugging Face hub; check HF_ENDPOINT" in fetched.refusal(HubUnavailable)


@pytest.mark.parametrize(
    "endpoint", ["hub.example", "ftp://hub.example", "http://", "http://[::1", "http://x:y", "/x"]
)
def test_an_endpoint_that_is_none_is_reported(fetched: Fetch, endpoint: str) -> None:
    with pytest.raises(HubUnavailable, match="HF_ENDPOINT is not the URL of a hub"):
        download(REPO, fetched.models / "tiny", lambda progress: None, endpoint=endpoint)


def test_an_endpoints_password_is_not_shown(fetched: Fetch, hub: FakeHub) -> None:
    endpoint = hub.endpoint.replace("http://", "http://me:secret@")
    hub.refusals[LISTING] = [Refusal(401)]
    with pytest.raises(NotPermitted) as refused:
        download(REPO, fetched.models / "tiny", lambda progress: None, endpoint=endpoint)
    assert "secret" not in str(refused.value) and "http://127.0.0.1:" in str(refused.value)


def test_a_token_that_is_none_is_reported(fetched: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_sécret")
    assert "HF_TOKEN is not a valid token" in fetched.refusal(NotPermitted)


def test_no_message_has_the_token(fetched: Fetch, hub: FakeHub) -> None:
    for status in (401, 403, 404, 418, 429, 500):
        hub.refusals[LISTING] = [Refusal(status)] * 3
        assert TOKEN not in fetched.refusal(_kind(status))


def _kind(status: int) -> type[FetchFailed]:
    return {401: NotPermitted, 403: NotPermitted, 404: NotOnHub, 429: HubBusy}.get(status, HubUnavailable)
