"""Adapters on a real worker: loaded at their first use, dropped, changed on disk, and refused by name."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from safetensors.numpy import load_file, save_file

from inference.core.errors import ModelLoadFailed
from inference.core.events import Event, Finished, TextDelta
from inference.core.pool_state import Memory
from inference.core.requests import ChatRequest, Lora, Sampling
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.loras import DOWN, UP, O, Q, layers, write_mlx, write_peft
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
SEEDED = Sampling(temperature=1.0, seed=4)


class World:
    """A worker with a tiny model, and adapters beside it."""

    def __init__(self, runner: ProcessRunner, folder: Path) -> None:
        self.runner, self.folder = runner, folder

    def lora(self, name: str, version: str = "1") -> Lora:
        return Lora(name=name, path=str(self.folder / "adapters" / name), version=version)

    def request(self, name: str = "", version: str = "1", **fields: Any) -> ChatRequest:
        own = {"lora": self.lora(name, version) if name else None, "max_tokens": 24, "sampling": SEEDED}
        return chat("tell me", **(own | fields))

    async def text(self, name: str = "", version: str = "1", **fields: Any) -> str:
        return text_of(await ask(self.runner, self.request(name, version, **fields)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = never_ends(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))
    write_mlx(folder / "adapters" / "a", layers(Q, UP), seed=1)
    write_peft(folder / "adapters" / "b", layers(O, DOWN), rank=16, seed=2)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prefix_cache_bytes=10**8))
    await runner.load(card(path=str(folder)), lambda progress: None)
    yield World(runner, folder)
    await runner.stop()


def text_of(events: list[Event]) -> str:
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def reported(runner: ProcessRunner, is_right: Callable[[Memory], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_right(runner.memory):
            await asyncio.sleep(0.05)


async def test_each_request_of_a_batch_has_its_own_adapter(world: World) -> None:
    names = ("", "a", "b", "a", "", "b")
    together = await asyncio.gather(*(world.text(name) for name in names))
    alone = {name: await world.text(name) for name in set(names)}
    assert list(together) == [alone[name] for name in names]
    assert len(set(alone.values())) == 3


async def test_a_chat_goes_on_with_its_own_prefixes(world: World) -> None:
    async def cached(name: str) -> int:
        request, cached = world.request(name), 0
        async for event in world.runner.submit(request, "its own"):
            cached = event.usage.cached_tokens if isinstance(event, Finished) else cached
        return cached

    assert [await cached(name) for name in ("", "a")] == [0, 0]
    assert all([await cached(name) > 0 for name in ("", "a")])


async def test_an_adapter_that_changed_on_disk_is_another_one(world: World) -> None:
    folder = write_mlx(world.folder / "adapters" / "c", layers(Q, UP), seed=7)
    first = await world.text("c", "1")
    write_mlx(folder, layers(Q, UP), seed=8)
    assert await world.text("c", "1") == first  # the request is older than the change
    second = await world.text("c", "2")
    assert second != first
    assert await world.text("c", "2") == second


async def test_a_dropped_adapter_is_loaded_again_and_its_memory_was_free(world: World) -> None:
    write_mlx(world.folder / "adapters" / "wide", layers(Q, UP, O, DOWN), rank=512, seed=3)
    without = world.runner.memory.active
    first = await world.text("wide")
    await reported(world.runner, lambda memory: memory.active > without + 10**6)
    before = world.runner.memory.active
    world.runner.drop_loras(("wide", "unknown"))
    await reported(world.runner, lambda memory: memory.active < before - 10**6)
    assert await world.text("wide") == first


async def test_broken_adapters_are_refused_by_name_and_hurt_nobody(world: World) -> None:
    infinite = write_mlx(world.folder / "adapters" / "infinite", layers(Q), seed=1)
    file = infinite / "adapters.safetensors"
    tensors = load_file(str(file))
    tensors[min(tensors)][0, 0] = np.inf
    save_file(tensors, str(file))
    write_mlx(world.folder / "adapters" / "foreign", {"model.layers.9.self_attn.q_proj": (64, 64)})
    before = await world.text("a")

    async def refusal(name: str) -> str:
        with pytest.raises(ModelLoadFailed) as raised:
            await ask(world.runner, world.request(name))
        return raised.value.message

    refusals = await asyncio.gather(*map(refusal, ("infinite", "foreign", "infinite", "missing")))
    assert [text.split(" cannot be used: ")[0] for text in refusals] == [
        f"The adapter {name!r} of 'tiny'" for name in ("infinite", "foreign", "infinite", "missing")
    ]
    assert "not finite" in refusals[0] and "model.layers.9" in refusals[1]
    assert not any(os.sep in text.replace("and/or", "") for text in refusals)
    assert await world.text("a") == before


async def test_a_client_that_leaves_while_its_adapter_loads(world: World) -> None:
    write_mlx(world.folder / "adapters" / "slow", layers(Q), seed=5)
    for _ in range(3):
        stream = world.runner.submit(world.request("slow"))
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()
    assert await world.text("slow")


async def test_the_same_answers_come_one_by_one(world: World) -> None:
    """Exact seeds: each sequence is computed by itself, with its adapter."""
    options = msgspec.structs.replace(OPTIONS, has_exact_seeds=True)
    runner = ProcessRunner(options)
    await runner.load(card(path=str(world.folder)), lambda progress: None)
    exact = World(runner, world.folder)
    try:
        texts = await asyncio.gather(*(exact.text(name) for name in ("a", "", "b")))
    finally:
        await runner.stop()
    assert list(texts) == [await world.text(name) for name in ("a", "", "b")]
