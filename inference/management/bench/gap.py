"""The longest pause of a running stream while another model loads."""

import asyncio
import statistics
from collections.abc import Sequence

from inference.core.pool_state import ModelState
from inference.management.bench import client, prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.servers import Ours
from inference.management.bench.timed_answer import IncompleteAnswer

_TOKENS, _QUICK_TOKENS = 160, 80
_BEFORE = 12  # pieces of text before the load starts, for the usual gap
_AIM = Aim(sign="<=", value=3)
_POLL_S = 0.02


def measure(bench: Bench) -> list[Figure]:
    longest: list[float | None] = []
    usual: list[float | None] = []
    notes: list[str] = []
    for _ in bench.repetitions("gap"):
        bench.ours.act("unload", bench.models.second)
        bench.ours.wait_for(lambda pool: pool.is_spare_ready, "to have a spare")
        times, span = asyncio.run(_stream_and_load(bench))
        if len(times) < _BEFORE:
            raise IncompleteAnswer(f"the stream had only {len(times)} pieces")
        inside = gaps_within(times, span)
        longest.append(max(inside, default=None))
        usual.append(statistics.median(gaps(times[:_BEFORE])))
        if times[-1] < span[1]:
            notes.append("the stream ended before the load did: only a part of the load was measured")
    return [
        figure(
            "gap",
            "longest gap between tokens while another model loads",
            "s",
            longest,
            usual,
            against="median gap",
            aim=_AIM,
            notes=notes,
        )
    ]


async def _stream_and_load(bench: Bench) -> tuple[list[float], tuple[float, float]]:
    """The arrival times of a stream's pieces, and the time span in which the other model loaded."""
    ours, loop = bench.ours, asyncio.get_running_loop()
    times: list[float] = []
    is_running = asyncio.Event()
    span = asyncio.create_task(_load_once(is_running, ours, bench.models.second.name))
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    body = {**prompts.short(tokens), "model": ours.model(bench.models.first)}
    async for chunk in client.chunks(ours.port, body):
        if client.piece_of(chunk):
            times.append(loop.time())
        if len(times) == _BEFORE:
            is_running.set()
    is_running.set()  # otherwise a stream that was too short would leave the load waiting
    return times, await span


async def _load_once(is_running: asyncio.Event, ours: Ours, model: str) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    await is_running.wait()
    started = loop.time()
    await client.fetch(ours.port, "POST", "/api/models/load", {"model": model})
    is_loading = True
    while is_loading:
        await asyncio.sleep(_POLL_S)
        is_loading = (await ours.pool_now()).of(model).state == ModelState.LOADING
    return started, loop.time()


def gaps(times: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in zip(times, times[1:], strict=False)]


def gaps_within(times: Sequence[float], span: tuple[float, float]) -> list[float]:
    """The gaps that overlap `span`."""
    return [
        later - earlier
        for earlier, later in zip(times, times[1:], strict=False)
        if later > span[0] and earlier < span[1]
    ]
