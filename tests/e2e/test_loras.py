"""Adapters on a real site: listed, answered in one batch by one worker, changed on disk, refused by name."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.site import Site, fresh_dir
from tests.loras import DOWN, UP, Q, layers, write_mlx, write_peft
from tests.tiny import make_tiny_model, never_ends

pytestmark = pytest.mark.e2e
NAMES = ("tiny", "tiny:pirate", "tiny:sql")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = fresh_dir()
    model = never_ends(make_tiny_model(folder / "models" / "tiny"))
    write_mlx(model / "adapters" / "pirate", layers(Q, UP))
    write_peft(model / "adapters" / "sql", layers(DOWN), rank=16, seed=2)
    write_mlx(model / "adapters" / "foreign", {"model.layers.0.self_attn.q_proj": (96, 64)})
    write_mlx(model / "adapters" / "far", {"model.layers.9.self_attn.q_proj": (64, 64)})
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with Site(folder, "--no-starter") as site:
        yield site.wait_ready(120)


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


async def got(site: Site, path: str) -> Any:
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        return (await client.get(path)).json()


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
    models = (await got(site, "/api/pool"))["models"]
    assert [model["id"] for model in models] == ["tiny"]
    assert await text_of(site, "tiny:pirate:latest") == alone["tiny:pirate"]


async def test_what_can_be_used_is_listed_and_the_rest_is_refused_by_name(site: Site) -> None:
    listed = await got(site, "/v1/models")
    # What is wrong with `far` is known once its model is loaded.
    assert [model["id"] for model in listed["data"]] == ["tiny", "tiny:far", "tiny:pirate", "tiny:sql"]
    foreign, far, missing = [await asked(site, f"tiny:{name}") for name in ("foreign", "far", "missing")]
    assert (foreign.status_code, far.status_code, missing.status_code) == (503, 503, 404)
    assert "'foreign' of 'tiny' cannot be used" in foreign.json()["error"]["message"]
    assert "'far' of 'tiny' cannot be used" in far.json()["error"]["message"]
    assert "'pirate', 'sql'" in missing.json()["error"]["message"]
    assert await text_of(site, "tiny:sql")


async def test_an_adapter_that_is_trained_again_is_used_at_once(site: Site, folder: Path) -> None:
    before = await text_of(site, "tiny:pirate")
    write_mlx(folder / "models" / "tiny" / "adapters" / "pirate", layers(Q, UP), seed=9)
    async with asyncio.timeout(20):
        while await text_of(site, "tiny:pirate") == before:
            await asyncio.sleep(0.3)
