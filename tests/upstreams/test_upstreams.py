"""A model of another server through the real pool: queue, record and cancel as for a local one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from inference.core.errors import InvalidValue, UpstreamFailed
from inference.core.events import Finished, TextDelta
from inference.core.pool_state import ModelState
from inference.core.principal import Principal
from inference.core.requests import PICTURE, ChatRequest, Message, Picture
from inference.core.upstream import Address, Route
from inference.pool import Pool
from inference.repository.catalog import Catalog
from inference.serving import generation, picture_check, runtime
from inference.serving.active_requests import STREAMS
from inference.serving.recording.request_entry import Note
from inference.upstreams.upstreams import Upstreams, card_of
from tests.fakes import GB, fake_pool
from tests.upstreams.fake_server import HELLO, Wire, delta, fake_server, says_hello

ME = Principal(kind="local")
ASKED = ChatRequest(model="ours", messages=(Message(role="user", content="Hi"),))


@asynccontextmanager
async def serving(
    folder: Path, address: Address, kept: list[Any] | None = None, **fields: Any
) -> AsyncIterator[Pool]:
    """A site whose only model is answered for at this address."""
    routes = [Route(model="ours", context_length=4096, addresses=(address,), **fields)]
    upstreams = Upstreams(lambda: routes, silence_s=60)
    models = Catalog(folder, use_hub_cache=False, remote=upstreams.cards)
    pool = fake_pool([], find_card=models.find, start_upstream=upstreams.start_runner, limit_bytes=1)
    with runtime.use_pool(pool, models=models, keep=(kept.append if kept is not None else _drop)):
        yield pool
        await pool.close()


def _drop(note: Note) -> None:
    """Keep no record."""


async def text_of(request: ChatRequest = ASKED) -> str:
    async with aclosing(generation.stream(request, ME)) as events:
        return "".join([event.text async for event in events if isinstance(event, TextDelta)])


async def test_it_is_streamed_and_recorded_as_a_local_one_and_takes_no_memory(tmp_path: Path) -> None:
    kept: list[Any] = []
    async with fake_server(says_hello) as server, serving(tmp_path, server.address(), kept) as pool:
        assert await text_of() == "Hello there"
        snapshot = pool.snapshot()
    assert snapshot.of("ours").state == ModelState.READY
    assert snapshot.reserved_bytes == 0
    (entry,) = kept
    assert (entry.model, entry.finish, entry.error) == ("ours", "stop", "")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cached_tokens) == (11, 2, 7)


async def test_pictures_are_passed_on_to_a_model_that_takes_them_whatever_is_installed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_check, "_PACKAGES", ("a_package_that_is_not_here",))
    picture = Picture(data=b"x", media_type="image/png", width=1, height=1)
    asked = structs.replace(
        ASKED, messages=(Message(role="user", content=f"{PICTURE}What?", pictures=(picture,)),)
    )
    async with fake_server(says_hello) as server:
        async with serving(tmp_path, server.address(), sees=True):
            assert await text_of(asked) == "Hello there"
        assert server.received[-1].body["messages"][0]["content"][0]["type"] == "image_url"
        async with serving(tmp_path, server.address()):
            with pytest.raises(InvalidValue, match="reads text only"):
                await text_of(asked)
    assert len(server.received) == 1


async def test_an_error_of_the_other_server_is_recorded(tmp_path: Path) -> None:
    async def breaks(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(delta(content="Hel"))

    kept: list[Any] = []
    async with fake_server(breaks) as server, serving(tmp_path, server.address(), kept):
        with pytest.raises(UpstreamFailed):
            await text_of()
    assert [entry.error for entry in kept] == ["upstream_failed"]


async def test_an_operator_that_stops_a_request_closes_the_connection(tmp_path: Path) -> None:
    has_left = asyncio.Event()

    async def goes_on(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*HELLO[:2])
        await wire.left()
        has_left.set()

    async with fake_server(goes_on) as server, serving(tmp_path, server.address()):
        asking = asyncio.create_task(text_of())
        async with asyncio.timeout(60):
            while not (running := STREAMS.snapshot()) or not running[0].tokens:
                await asyncio.sleep(0.01)
            STREAMS.stop(running[0].id)
            await has_left.wait()
        with pytest.raises(Exception, match="stopped this request"):
            await asking


async def test_requests_beyond_its_limit_wait_in_the_fair_queue(tmp_path: Path) -> None:
    may_end = asyncio.Event()

    async def holds(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*HELLO[:2])
        await may_end.wait()
        await wire.chunks(*HELLO[2:])

    async with fake_server(holds) as server, serving(tmp_path, server.address(), most_streams=2) as pool:
        asking = [asyncio.create_task(text_of()) for _ in range(5)]
        async with asyncio.timeout(60):
            while len(server.received) < 2:
                await asyncio.sleep(0.01)
        assert (server.open, pool.snapshot().waiting) == (2, 3)
        may_end.set()
        assert await asyncio.gather(*asking) == ["Hello there"] * 5


async def test_addresses_are_those_of_the_last_read_also_while_the_model_is_ready(tmp_path: Path) -> None:
    async with fake_server(says_hello) as first, fake_server(says_hello) as second:
        routes: Sequence[Route] = [Route(model="ours", context_length=4096, addresses=(first.address(),))]
        upstreams = Upstreams(lambda: routes, silence_s=60)
        upstreams.cards()
        runner = upstreams.start_runner()
        await runner.load(card_of(routes[0]), lambda progress: None)
        routes = [structs.replace(routes[0], addresses=(second.address(),))]
        upstreams.cards()
        async with aclosing(runner.submit(ASKED)) as events:
            assert isinstance([event async for event in events][-1], Finished)
        await runner.stop()
    assert (len(first.received), len(second.received)) == (0, 1)


async def test_a_folder_of_the_same_name_wins_and_a_route_without_address_says_why(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "config.json").write_text("{}")
    routes = [
        Route(model="ours", context_length=4096),
        Route(model="theirs", context_length=4096, problem="it is disabled"),
    ]
    models = Catalog(tmp_path, use_hub_cache=False, remote=Upstreams(lambda: routes, silence_s=60).cards)
    ours, theirs = models.find("ours"), models.find("theirs")
    assert ours and ours.source == "folder" and not ours.is_remote
    assert theirs and theirs.is_remote and theirs.problem == "it is disabled"
    assert theirs.load_bytes == 0 < GB
