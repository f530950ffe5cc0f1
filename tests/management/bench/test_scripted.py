"""The scripted runner behind the real pool."""

import asyncio

from inference.core.events import Accepted, Ended, Event, Finished, TextDelta
from inference.core.requests import ChatRequest, Message
from inference.management.bench.scripted import WORD, Gate, ScriptedRunner
from inference.management.bench.site import OneModel
from inference.pool import Pool, PoolOptions
from tests.fakes import GB

ASKED = ChatRequest(model="scripted", messages=(Message(role="user", content="Hello"),), max_tokens=3)


def pool(gate: Gate) -> Pool:
    options = PoolOptions(limit_bytes=GB, queue_limit=8, load_timeout_s=5, keep_spare=False)
    return Pool(options, find_card=OneModel().find, start_runner=lambda: ScriptedRunner(gate))


async def stream(models: Pool, events: list[Event]) -> None:
    async with models.lease("scripted", 8) as lease:
        async for _ in lease.progress():
            pass
        async for event in lease.runner.submit(ASKED):
            events.append(event)


async def test_a_request_gets_its_tokens_one_by_one_once_the_gate_opens() -> None:
    gate, events = Gate(), list[Event]()
    models = pool(gate)
    streaming = asyncio.create_task(stream(models, events))
    async with asyncio.timeout(5):
        while not events:
            await asyncio.sleep(0)
    assert [type(event) for event in events] == [Accepted]
    gate.open()
    await streaming
    assert events[1:4] == [TextDelta(text=WORD)] * 3
    assert [type(event) for event in events[4:]] == [Ended, Finished]
    await models.close()


async def test_the_gate_closes_behind_those_it_let_through() -> None:
    gate = Gate()
    first = asyncio.create_task(gate.passed())
    await asyncio.sleep(0)
    gate.open()
    await first
    second = asyncio.create_task(gate.passed())
    await asyncio.sleep(0)
    assert not second.done()
    gate.open()
    await second


def test_there_is_one_model() -> None:
    (card,) = OneModel().scan()
    assert card.is_servable
    assert OneModel().find("other") is None
