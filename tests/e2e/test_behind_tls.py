"""The site behind nginx and Caddy with the configurations of docs/deploy."""

import json
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect

from tests.e2e.login import sign_in
from tests.e2e.site import Site
from tests.e2e.tls_proxy import proxy
from tests.nightly import of_each_kind
from tests.playground.site import free_port, visiting
from tests.scripted_model import ANSWER, make_scripted_model

pytestmark = pytest.mark.e2e
KEY = "a key that is long enough to be one"
PROSE = ".message.is-assistant:last-child > .prose"


@pytest.fixture(scope="module", params=of_each_kind(["nginx", "caddy"], ["nginx"]))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site behind one of the two; its address is that of the proxy."""
    folder = tmp_path_factory.mktemp(request.param)
    make_scripted_model(folder / "models" / "scripted")
    port = free_port()
    own = {
        "MLX_SERVER_ORIGINS": f"https://localhost:{port}",
        "MLX_SERVER_API_KEY": KEY,
        "MLX_SERVER_TRUSTED_PROXIES": "127.0.0.1",
        "MLX_SERVER_ACCESS_LOG": "true",
    }
    with (
        Site(folder, "--no-starter", env=own) as site,
        proxy(request.param, folder, site.wait_ready(60).url, port),
    ):
        site.url = f"https://localhost:{port}"
        yield site


def web(site: Site) -> httpx.Client:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.Client(base_url=site.url, verify=False, headers=headers, timeout=60)  # noqa: S501 - our own


def body(content: str, **fields: object) -> dict[str, object]:
    return {"model": "scripted", "messages": [{"role": "user", "content": content}], **fields}


@pytest.mark.browser
async def test_a_person_signs_in_and_chats(served: Site) -> None:
    async with visiting(f"{served.url}/login/", ignore_https_errors=True) as visit:
        await sign_in(visit.page, served, at="/")
        cookies = {one["name"]: one for one in await visit.page.context.cookies()}
        assert {cookies[name]["secure"] for name in ("mlxsite_session", "mlxsite_csrf")} == {True}
        await visit.ask("Hello?")
        await expect(visit.page.locator(PROSE)).to_have_text(ANSWER, timeout=60_000)
        # Its websockets are open, too: the model's state has come by one.
        await expect(visit.page.locator(".picker-state")).to_have_text("ready")
        await sign_in(visit.page, served, at="/admin/")
        await expect(visit.page.locator("#admin-nav")).to_be_visible()


def test_an_answer_comes_as_it_is_made_and_ends_when_its_client_leaves(served: Site) -> None:
    with web(served) as client:
        asked = body("Go on forever.", stream=True, max_tokens=16_000)
        with client.stream("POST", "/v1/chat/completions", json=asked) as response:
            lines = (line for line in response.iter_lines() if line)
            for _ in range(5):
                assert json.loads(next(lines).removeprefix("data: "))["object"] == "chat.completion.chunk"
            streams = client.get("/health").json()["workers"][0]["streams"]
        assert streams == 1  # it was still being made
        while client.get("/health").json()["workers"][0]["streams"]:
            continue


def test_long_bodies_reach_the_site_which_refuses_them_itself(served: Site) -> None:
    with web(served) as client:
        long = client.post("/v1/chat/completions", json=body("word " * 600_000))
        too_long = client.post("/v1/chat/completions", content=b" " * 80_000_000)
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert (too_long.status_code, too_long.json()["error"]["type"]) == (413, "invalid_request_error")


def test_browsers_get_http_2_and_are_told_to_keep_to_tls(served: Site) -> None:
    command = ["curl", "-sk", "-o", "/dev/null", "-D", "-", "--http2", f"{served.url}/login/"]
    headers = subprocess.run(command, check=True, capture_output=True, text=True).stdout.lower()
    assert headers.startswith("http/2 200")
    assert "strict-transport-security: max-age=31536000" in headers
    assert "secure" in next(line for line in headers.splitlines() if line.startswith("set-cookie"))


def test_pages_of_other_sites_and_headers_of_strangers_change_nothing(served: Site) -> None:
    with web(served) as client:
        foreign = client.post(
            "/login/", headers={"Origin": "https://evil.example"}, data={"username": "admin"}
        )
        wrong_host = client.get("/health", headers={"Host": "evil.example"})
    assert foreign.status_code == 403
    assert wrong_host.status_code == 400 or not wrong_host.content  # Caddy answers strangers itself


def test_the_log_has_the_address_of_the_client_and_not_what_it_claims(served: Site) -> None:
    there = httpx.HTTPTransport(verify=False, local_address="127.0.0.9")  # noqa: S501 - our own
    with httpx.Client(base_url=served.url, transport=there) as client:
        client.get("/from-there", headers={"X-Forwarded-For": "203.0.113.7"})
    deadline = time.monotonic() + 10  # a line is written once the response was
    while not (lines := [line for line in served.output.splitlines() if "/from-there" in line]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (line,) = lines
    assert "127.0.0.9 GET /from-there 404" in line
