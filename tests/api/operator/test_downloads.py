"""The operator's API for downloads, from a fake hub; what they do is tests/repository/downloads."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient
from pydantic import SecretStr

from inference.repository.downloads.register import Downloads
from inference.serving import runtime
from tests.api.openai.asking import error_of
from tests.people import client_of
from tests.repository.hub import REPO, FakeHub

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/downloads"
WEIGHTS = "model.safetensors"


@pytest.fixture
def models(hub: FakeHub, tmp_path: Path) -> Iterator[Path]:
    downloads = Downloads(tmp_path / "models", on_done=lambda: None)
    with runtime.use_downloads(downloads):
        yield tmp_path / "models"
    downloads.close()


async def post(path: str = "", **body: Any) -> Any:
    return await AsyncClient().post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")


async def listed() -> Any:
    return json.loads((await AsyncClient().get(ADDRESS)).content)


async def ended() -> Any:
    """The list once nothing of it runs."""
    end = time.monotonic() + 60
    while any(one["state"] == "running" for one in await listed()):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    return await listed()


async def test_one_is_started_followed_and_there(models: Path) -> None:
    started = json.loads((await post(model=REPO)).content)
    assert (started["id"], started["state"]) == (REPO, "running")
    assert json.loads((await post(model=f"https://huggingface.co/{REPO}/tree/main")).content)["id"] == REPO
    (done,) = await ended()
    assert done["state"] == "done" and (models / REPO / "config.json").is_file()
    assert all(file["done"] == file["size"] > 0 for file in done["progress"]["files"])
    again = await post(model=REPO)
    assert again.status_code == 400 and "already exists" in error_of(again)["message"]


async def test_one_is_cancelled_resumed_and_discarded(models: Path, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    await post(model=REPO)
    while WEIGHTS not in hub.asked:
        await asyncio.sleep(0.02)
    running = await post("/discard", model=REPO)
    assert running.status_code == 400 and (await listed())[0]["state"] == "running"
    await post("/cancel", model=REPO)
    (cancelled,) = await ended()
    assert cancelled["state"] == "cancelled"
    discarded = await post("/discard", model=REPO)
    assert (discarded.status_code, json.loads(discarded.content)) == (200, [])
    assert (await post("/discard", model=REPO)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"model": "tiny"}, 400, "OWNER/NAME"),
        ({"model": "../../etc/passwd"}, 400, "OWNER/NAME"),
        ({"model": ""}, 400, "model"),
        ({"id": REPO}, 400, "id"),
    ],
)
async def test_what_cannot_be_is_refused(models: Path, body: dict[str, Any], status: int, text: str) -> None:
    response = await post(**body)
    assert response.status_code == status and text in error_of(response)["message"]
    assert await listed() == []


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (["add_download"], (200, 200)),
        (["view_download"], (200, 403)),
        (["run_servedmodel"], (403, 403)),
    ],
)
def test_users_need_the_right_to_download(
    models: Path, settings: Any, rights: list[str], statuses: tuple[int, int]
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    client = client_of("ann", *rights)
    looked = client.get(ADDRESS)
    cancelled = client.post(f"{ADDRESS}/cancel", f'{{"model": "{REPO}"}}', content_type="application/json")
    assert (looked.status_code, cancelled.status_code) == statuses
