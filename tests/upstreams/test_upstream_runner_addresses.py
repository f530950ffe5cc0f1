"""Several addresses of one model: which is asked, and when another one is."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from inference.core.errors import (
    ServerError,
    UnsupportedField,
    UpstreamFailed,
    UpstreamUnreachable,
)
from inference.core.events import Finished
from inference.core.requests import ChatRequest, Sampling
from inference.upstreams.upstream_runner import UpstreamRunner
from tests.upstreams.asking import ASKED, events_of, loaded, saying
from tests.upstreams.fake_server import HELLO, Wire, fake_server, says_hello


async def test_another_address_is_tried_before_the_first_byte_alone() -> None:
    async def fails(wire: Wire) -> None:
        await wire.begin("500 Oops")

    async def ends(wire: Wire) -> None:
        await wire.begin()

    async def breaks(wire: Wire) -> None:
        await wire.begin()
        await wire.send(":")  # one byte
        wire.abort()

    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(fake_server(says_hello))
        for answer in (fails, ends):
            bad = await stack.enter_async_context(fake_server(answer))
            runner = await loaded([bad.address(), good.address()])
            for number in range(8):  # of as many conversations, some of which begin there
                assert isinstance((await events_of(runner, saying(number)))[-1], Finished)
            await runner.stop()
            assert bad.received
        before = len(good.received)
        broken = await stack.enter_async_context(fake_server(breaks))
        runner = await loaded([broken.address(), good.address()])
        outcomes: list[str] = []
        for number in range(20):  # of as many conversations, some of which begin there
            try:
                outcomes.append(type((await events_of(runner, saying(number)))[-1]).__name__)
            except UpstreamFailed:
                outcomes.append("failed")
        await runner.stop()
    assert len(broken.received) == outcomes.count("failed") > 0
    assert len(good.received) - before == outcomes.count("Finished") > 0


async def test_addresses_that_cannot_be_reached_are_left_alone_for_a_while() -> None:
    async with fake_server(says_hello) as server:
        gone = server.address()
    runner = await loaded([gone], clock=lambda: 5.0)
    for _ in range(2):
        with pytest.raises(UpstreamFailed, match="cannot be reached"):
            await events_of(runner)
    with pytest.raises(UpstreamUnreachable) as refused:
        await events_of(runner)
    assert refused.value.retry_after == 1
    await runner.stop()


async def test_a_field_is_refused_unless_another_address_follows_it() -> None:
    asked = ChatRequest(model="ours", messages=ASKED.messages, sampling=Sampling(top_k=3))
    async with fake_server(says_hello) as server, fake_server(says_hello) as other:
        runner = await loaded([server.address(engine="openai")])
        with pytest.raises(UnsupportedField, match="top_k is not supported here") as refused:
            await events_of(runner, asked)
        assert refused.value.param == "top_k"
        await runner.stop()
        runner = await loaded([server.address(engine="openai"), other.address(engine="vllm")])
        for _ in range(4):
            assert isinstance((await events_of(runner, asked))[-1], Finished)
        await runner.stop()
    assert server.received == []


async def test_of_two_addresses_one_is_killed_under_load_and_every_stream_ends_once() -> None:
    """Those that had begun there end with an error; all others end well."""

    async def slow(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*HELLO[:2])
        await is_dead.wait()
        await wire.chunks(*HELLO[2:])

    async def dies(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*HELLO[:2])
        await is_dead.wait()
        wire.abort()

    is_dead = asyncio.Event()
    ends: list[str] = []

    async def ask(runner: UpstreamRunner, number: int) -> None:
        try:
            events = await events_of(runner, saying(number))
            ends.append(type(events[-1]).__name__)
        except ServerError as error:
            ends.append(type(error).__name__)

    async with fake_server(slow) as good, fake_server(dies) as bad:
        runner = await loaded([good.address(), bad.address()])
        tasks = [asyncio.create_task(ask(runner, number)) for number in range(40)]
        async with asyncio.timeout(60):
            while len(good.received) + len(bad.received) < len(tasks):
                await asyncio.sleep(0.01)
        begun = len(bad.received)
        is_dead.set()
        await asyncio.gather(*tasks)
        await runner.stop()
    assert 10 <= begun <= 30
    assert sorted(ends) == ["Finished"] * (40 - begun) + ["UpstreamFailed"] * begun
