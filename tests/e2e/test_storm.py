"""Clients that connect, ask and leave, by the hundred, while one of them stays to the end."""

import httpx
import pytest

from tests.api.openai.site import eventually
from tests.e2e.conversation import Canary, ask, chat_body, opened
from tests.e2e.site import Site, holder
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.mlx
SONG = {"max_tokens": 1000 if IS_NIGHTLY else 600, "messages": [{"role": "user", "content": "Sing"}]}
CLIENTS = 200 if IS_NIGHTLY else 100


def test_a_storm_of_leaving_clients_leaves_no_trace(tiny_site: Site) -> None:
    url = tiny_site.url
    with Canary(url, **SONG) as canary:
        alone = canary.song()
    worker = holder(tiny_site).pid
    with Canary(url, **SONG) as canary:
        for number in range(CLIENTS):
            opened(url, chat_body(stream=number % 2 == 0, max_tokens=1500)).close()
        assert canary.song() == alone
    assert eventually(lambda: is_quiet(url), within_s=10)
    assert ask(url, chat_body()).status == 200
    assert holder(tiny_site).pid == worker


def is_quiet(url: str) -> bool:
    """Whether nobody is served and nobody waits."""
    health = httpx.get(f"{url}/health").json()
    assert health["status"] == "healthy"
    return bool(health["waiting"] == 0 and sum(worker["streams"] for worker in health["workers"]) == 0)
