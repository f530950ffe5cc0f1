"""Adapters on a real site: listed, answered in one batch by one worker, changed on disk, refused by name."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.openai.site import eventually
from tests.e2e.site import Site
from tests.loras import DOWN, UP, Q, layers, write_mlx, write_peft
from tests.tiny import make_tiny_model, never_ends

pytestmark = pytest.mark.e2e
NAMES = ("adapted", "adapted:pirate", "adapted:sql")


@pytest.fixture(scope="module")
def model(tiny_site: Site) -> Iterator[Path]:
    """The folder of the model, beside others of the site."""
    draft = never_ends(make_tiny_model(tiny_site.data_dir / "models" / ".adapted"))
    write_mlx(draft / "adapters" / "pirate", layers(Q, UP))
    write_peft(draft / "adapters" / "sql", layers(DOWN), rank=16, seed=2)
    write_mlx(draft / "adapters" / "foreign", {"model.layers.0.self_attn.q_proj": (96, 64)})
    write_mlx(draft / "adapters" / "far", {"model.layers.9.self_attn.q_proj": (64, 64)})
    folder = draft.rename(draft.with_name("adapted"))
    models = f"{tiny_site.url}/v1/models"
    assert eventually(lambda: "adapted:sql" in httpx.get(models).text, within_s=20)
    yield folder
    httpx.post(f"{tiny_site.url}/api/models/unload", json={"model": "adapted"})
    shutil.rmtree(folder)


@pytest.fixture
def site(tiny_site: Site, model: Path) -> Site:
    return tiny_site


async def asked(site: Site, model: str, text: str = "hi") -> httpx.Response:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 40,
        "temperature": 1,
        "seed": 3,
    }
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        return await client.post("/v1/chat/completions", json=body)


async def ids_at(site: Site, path: str, name: str) -> list[str]:
    """The ids of the model and its adapters that are listed there."""
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        listed = (await client.get(path)).json()[name]
    return [one["id"] for one in listed if one["id"].startswith("adapted")]


async def text_of(site: Site, model: str, text: str = "hi") -> str:
    response = await asked(site, model, text)
    assert response.status_code == 200, response.text
    content: str = response.json()["choices"][0]["message"]["content"]
    return content


async def test_each_of_many_at_once_has_its_own_answer_from_one_worker(site: Site) -> None:
    names = NAMES * 4
    together = await asyncio.gather(*(text_of(site, name) for name in names))
    alone = {name: await text_of(site, name) for name in NAMES}
    assert list(together) == [alone[name] for name in names]
    assert len(set(alone.values())) == 3
    assert await ids_at(site, "/api/pool", "models") == ["adapted"]
    assert await text_of(site, "adapted:pirate:latest") == alone["adapted:pirate"]


async def test_what_can_be_used_is_listed_and_the_rest_is_refused_by_name(site: Site) -> None:
    listed = await ids_at(site, "/v1/models", "data")
    # What is wrong with `far` is known once its model is loaded.
    assert listed == ["adapted", "adapted:far", "adapted:pirate", "adapted:sql"]
    foreign, far, missing = [await asked(site, f"adapted:{name}") for name in ("foreign", "far", "missing")]
    assert (foreign.status_code, far.status_code, missing.status_code) == (503, 503, 404)
    assert "'foreign' of 'adapted' cannot be used" in foreign.json()["error"]["message"]
    assert "'far' of 'adapted' cannot be used" in far.json()["error"]["message"]
    assert "'pirate', 'sql'" in missing.json()["error"]["message"]
    assert await text_of(site, "adapted:sql")


async def test_an_adapter_that_is_trained_again_is_used_at_once(site: Site, model: Path) -> None:
    before = await text_of(site, "adapted:pirate")
    write_mlx(model / "adapters" / "pirate", layers(Q, UP), seed=9)
    async with asyncio.timeout(20):
        while await text_of(site, "adapted:pirate") == before:
            await asyncio.sleep(0.3)
