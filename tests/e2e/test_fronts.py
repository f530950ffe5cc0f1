"""Two real fronts of one site behind Caddy or nginx, which share a database and a Redis."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.e2e.site import Site
from tests.e2e.two_fronts import LONG_WORDS, TwoFronts, chat, two_fronts, web
from tests.nightly import IS_NIGHTLY, nightly, of_each_kind
from tests.playground.site import visiting
from tests.redis_server import PASSWORD, needs_redis

pytestmark = [pytest.mark.e2e, needs_redis]
CHAT = "/v1/chat/completions"
PROSE = ".message.is-assistant:last-child > .prose"


@pytest.fixture(scope="module", params=of_each_kind(["caddy", "nginx"], ["caddy"]))
def fronts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoFronts]:
    with two_fronts(tmp_path_factory.mktemp("fronts"), request.param) as both:
        yield both


def eventually(holds: Callable[[], Any], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@nightly
def test_limits_of_a_key_hold_at_both(fronts: TwoFronts) -> None:
    both = (fronts.one.url, fronts.other.url)
    asked = [httpx.get(f"{both[n % 2]}/v1/models", headers=fronts.headers("frequent")) for n in range(10)]
    assert [one.status_code for one in asked] == [200] * 6 + [429] * 4
    assert [one.headers["x-ratelimit-remaining-requests"] for one in asked][:7] == [*"5432100"]
    with web(both[0], headers=fronts.headers("single")) as one, web(both[1], headers=one.headers) as other:
        with one.stream("POST", CHAT, json=chat("endless", stream=True)) as stream:
            lines = stream.iter_lines()  # kept, or httpx would close the connection
            next(lines)
            refused = other.post(CHAT, json=chat("short"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        eventually(lambda: other.post(CHAT, json=chat("short")).status_code == 200)


@nightly
def test_a_new_key_is_shown_once_and_a_revoked_one_ends_at_both(fronts: TwoFronts) -> None:
    cookies = {"mlxsite_session": fronts.made["session"]}
    with web(fronts.one.url, cookies=cookies) as one, web(fronts.other.url, cookies=cookies) as other:
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)', one.get("/keys/").text)
        assert token
        form = {"csrfmiddlewaretoken": token[1]}
        made = one.post("/keys/", data=form | {"name": "new", "can_chat": "on"}).headers["location"]
        assert "mlx-" in other.get(made).text
        assert all("mlx-" not in client.get(made).text for client in (one, other))
        headers = fronts.headers("ends")
        with web(fronts.other.url, headers=headers) as holder:
            with holder.stream("POST", CHAT, json=chat("endless", stream=True)) as stream:
                lines = stream.iter_lines()
                next(lines)
                one.post(f"/keys/{fronts.made['ends_pk']}/revoke/", data=form)
                rest = "".join(lines)  # maintenance alone would end it after up to half a minute
                assert rest.count("word") < 200
            assert "This API key was revoked, and its requests in progress were cancelled" in rest
            assert "[DONE]" not in rest
            assert holder.post(CHAT, json=chat("short")).status_code == 401
            assert httpx.get(f"{fronts.one.url}/v1/models", headers=headers).status_code == 401


@nightly
@pytest.mark.browser
async def test_a_chat_in_two_windows_at_two_fronts(fronts: TwoFronts) -> None:
    async with visiting(f"{fronts.one.url}/") as here, visiting(f"{fronts.other.url}/") as there:
        await here.ask("short, please")
        await expect(here.page.locator(PROSE)).to_have_text("word0 word1 word2", timeout=30_000)
        path = here.page.url.removeprefix(fronts.one.url)
        await there.page.goto(f"{fronts.other.url}{path}")
        await expect(there.page.locator(PROSE)).to_have_text("word0 word1 word2")
        await here.ask("an endless one")
        await expect(there.page.locator(".message.is-user").last).to_contain_text("an endless one")
        await expect(there.page.locator(PROSE)).to_contain_text("word3")
        await there.page.reload()  # it reads on where the other front is
        await expect(there.page.locator(PROSE)).to_contain_text("word20")
        await there.page.get_by_label("Stop", exact=True).click()
        await expect(here.page.get_by_label("Send", exact=True)).to_be_visible()
        last = await here.page.locator(PROSE).inner_text()
        await expect(there.page.locator(PROSE)).to_have_text(last)
        assert here.complaints == there.complaints == []


@nightly
def test_a_response_in_the_background_is_found_followed_and_cancelled_at_the_other(fronts: TwoFronts) -> None:
    with web(fronts.one.url) as one, web(fronts.other.url) as other:
        body = {"model": "slow", "input": "a long one", "background": True}
        begun = [one.post("/v1/responses", json=body | more).json()["id"] for more in ({}, {"stream": False})]
        eventually(lambda: other.get(f"/v1/responses/{begun[0]}").json()["status"] == "in_progress")
        eventually(lambda: "word1" in json.dumps(other.get(f"/v1/responses/{begun[0]}").json()["output"]))
        with other.stream("GET", f"/v1/responses/{begun[0]}", params={"stream": "true"}) as stream:
            lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
        assert lines[-1] == "data: [DONE]" and '"response.completed"' in lines[-2]
        cancelled = other.post(f"/v1/responses/{begun[1]}/cancel")
        assert cancelled.status_code == 200
        assert one.get(f"/v1/responses/{begun[0]}").json()["status"] == "completed"


@nightly
def test_without_the_redis_it_goes_on_and_says_so(fronts: TwoFronts) -> None:
    with web(fronts.one.url) as one, web(fronts.other.url) as other:
        conversation = one.post("/v1/conversations", json={}).json()["id"]
        body = {"model": "slow", "input": "short", "conversation": conversation}
        assert other.post("/v1/responses", json=body).status_code == 200
        fronts.redis.stop()
        eventually(lambda: all("warnings" in client.get("/ready").json() for client in (one, other)))
        assert one.get("/ready").status_code == 200
        assert redis_values(one) == {
            "mlxsite_redis_up 0.0",
            "mlxsite_redis_losses_total 1.0",
            "mlxsite_fronts 2.0",
        }
        assert one.post(CHAT, json=chat("short")).status_code == 200
        refused = one.post("/v1/responses", json=body)
        assert (refused.status_code, refused.json()["error"]["type"]) == (503, "server_error")
        assert one.get("/v1/models", headers=fronts.headers("single")).status_code == 200
        fronts.redis.start()
        eventually(lambda: not any("warnings" in client.get("/ready").json() for client in (one, other)))
        assert "mlxsite_redis_up 1.0" in redis_values(one)
        assert one.post("/v1/responses", json=body).status_code == 200
    for site in (fronts.one, fronts.other):
        lost = [line for line in site.output.splitlines() if "is lost" in line]
        assert len(lost) == 1 and fronts.redis.shown in lost[0]
        assert PASSWORD not in site.output and "Traceback" not in site.output


def redis_values(client: httpx.Client) -> set[str]:
    lines = client.get("/metrics").text.splitlines()
    return {line for line in lines if line.startswith(("mlxsite_redis", "mlxsite_fronts"))}


def read(url: str, ended: list[str]) -> None:
    """Read one long stream to its end, and note what came of it."""
    text, ends = "", 0
    try:
        with web(url) as client, client.stream("POST", CHAT, json=chat("long", stream=True)) as stream:
            for line in stream.iter_lines():
                ends += line == "data: [DONE]"
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    text += "".join(choice["delta"].get("content") or "" for choice in choices)
    except httpx.HTTPError:
        ended.append("broken" if not ends else "broken after its end")
        return
    whole = "".join(f"word{number} " for number in range(LONG_WORDS))
    ended.append("whole" if ends == 1 and text == whole else "broken" if not ends else "wrong")


def acknowledged(site: Site) -> tuple[str, int]:
    """Ask in a chat at this front; the conversation, and the message of its answer."""
    body = {"content": "a long one", "question": {"model": "slow"}}
    with web(site.url) as client:
        client.get("/")
        token = client.cookies["mlxsite_csrf"]
        asked = client.post("/chat/ask/", json=body, headers={"X-CSRFToken": token}).json()
    return asked["conversation"], asked["messages"][-1]["id"]


@nightly
def test_a_front_that_is_killed_ends_each_of_its_streams_once_and_nothing_is_lost(fronts: TwoFronts) -> None:
    ended: list[str] = []
    conversation, message = acknowledged(fronts.one)
    readers = [threading.Thread(target=read, args=(fronts.url, ended)) for _ in range(8)]
    for reader in readers:
        reader.start()
    time.sleep(2.5)
    fronts.one.stop(signal.SIGKILL)
    with ThreadPoolExecutor(4) as more, web(fronts.url) as client:
        # One that was on its way to the killed front may get a 502.
        eventually(lambda: client.post(CHAT, json=chat("short")).status_code == 200)
        later = list(more.map(lambda _: client.post(CHAT, json=chat("short")).status_code, range(12)))
    for reader in readers:
        reader.join(60)
    assert later == [200] * 12
    assert len(ended) == 8 and set(ended) == {"whole", "broken"}
    with web(fronts.other.url) as other:

        def answer() -> dict[str, Any]:
            messages = other.get(f"/chat/conversations/{conversation}/").json()["messages"]
            assert messages[0]["content"] == "a long one"
            found: dict[str, Any] = next(one for one in messages if one["id"] == message)
            return found

        assert answer()["content"].startswith("word0 word1 ")
        if IS_NIGHTLY:  # until the lease of the killed one has ended
            eventually(lambda: answer()["status"] == "stopped", within_s=40)
