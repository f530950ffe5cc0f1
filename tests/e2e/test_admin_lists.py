"""The admin's lists in Chromium: no column hides on a laptop's screen."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.e2e.login import sign_in
from tests.e2e.site import ROOT, Site
from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
# What a busy site has: long names, long durations, an error, an end.
ROWS = """
from datetime import UTC, datetime
from django.contrib.auth.models import User
from inference.models import ApiKey, PoolEvent, RequestRecord

now, model = datetime.now(UTC), "mlx-community/Llama-3.2-3B-Instruct-4bit"
key = ApiKey(
    name="build_server_of_the_team_in_Cologne_and_of_its_friends", owner=User.objects.get(),
    can_manage=True, last_used_at=now, expires_at=datetime(2099, 1, 31, tzinfo=UTC),
)
key.give_secret()
key.save()
RequestRecord.objects.create(
    at=now, principal_kind="key", principal=key.prefix, key=key, model=model, kind="completion",
    queued_ms=16100, loading_ms=12345, prefill_ms=10000, decode_ms=84790, prompt_tokens=12345,
    cached_tokens=12000, completion_tokens=600, error="context_length_exceeded",
)
PoolEvent.objects.create(
    at=now, kind="load_failed", model=model, text=f"could not load {model}: " + "it is large, " * 20
)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    with Site(folder, "--no-starter") as site:
        site.wait_ready(60)
        env = os.environ | {"MLX_SERVER_DATA_DIR": str(folder)}
        subprocess.run([sys.executable, "manage.py", "shell", "-c", ROWS], cwd=ROOT, env=env, check=True)
        yield site


@nightly
@pytest.mark.parametrize("listed", ["requestrecord", "apikey", "poolevent"])
async def test_no_column_hides_on_the_screen_of_a_laptop(site: Site, listed: str) -> None:
    async with visiting(f"{site.url}/", viewport={"width": 1280, "height": 900}) as visit:
        await sign_in(visit.page, site)
        await visit.page.goto(f"{site.url}/admin/inference/{listed}/")
        await expect(visit.page.locator("#result_list tbody tr")).to_have_count(1)
        hidden = "(list => list.scrollWidth - list.clientWidth)(document.querySelector('.results'))"
        assert await visit.page.evaluate(hidden) == 0
