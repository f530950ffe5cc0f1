"""What streams cost in memory: the most that a server holds while 1, 4, 8 and 16 of them run.

Ours reports the memory of its worker and the KV caches in it (GET /api/pool). Of another server that this run
has started, the resident memory of its processes is read; that of a server at an address cannot be.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from inference.management.bench import client, prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Figure, figure
from inference.management.bench.peers import StartedPeer
from inference.management.bench.servers import Ours, Server
from inference.management.bench.timed_answer import AnswerRound

_COUNTS, _QUICK_COUNTS = (1, 4, 8, 16), (1, 4)
_WORDS, _QUICK_WORDS = 400, 60
_TOKENS = 144  # the worker counts its KV caches every 64 steps
_POLL_S = 0.1
_MIB = 2**20
_UNIT = "MiB"
Peaks = dict[int, list[float | None]]  # by the number of streams: one for each repetition


def measure(bench: Bench) -> list[Figure]:
    counts = _QUICK_COUNTS if bench.is_quick else _COUNTS
    servers = [server for server in bench.servers if isinstance(server, Ours | StartedPeer)]
    resident: dict[str, Peaks] = {server.name: {count: [] for count in counts} for server in servers}
    caches: Peaks = {count: [] for count in counts}
    notes = [f"{server.name}: its memory cannot be read" for server in bench.servers if server not in servers]
    for _ in bench.repetitions("memory"):
        for count in counts:
            for server in servers:
                held, kv, remarks = _peaks(bench, server, count)
                resident[server.name][count].append(held)
                if server is bench.ours:
                    caches[count].append(kv)
                notes += remarks
    theirs = "".join(server.name for server in servers if server is not bench.ours)
    other = resident.get(theirs, {})
    return [
        *(
            figure(
                "memory",
                f"{count} stream{'s' if count > 1 else ''}, process",
                _UNIT,
                resident["ours"][count],
                other.get(count, []),
                against=theirs,
                notes=notes,
            )
            for count in counts
        ),
        *(
            figure("memory", f"{count} stream{'s' if count > 1 else ''}, KV caches", _UNIT, caches[count])
            for count in counts
        ),
        figure(
            "memory",
            f"each more stream, {counts[0]} to {counts[-1]}",
            _UNIT,
            per_stream(resident["ours"]),
            per_stream(other),
            against=theirs,
        ),
    ]


def per_stream(peaks: Peaks) -> list[float | None]:
    """What one more stream adds, for each repetition, from the fewest streams to the most."""
    if len(peaks) < 2:
        return []
    (fewest, least), (most, largest) = min(peaks.items()), max(peaks.items())
    return [
        None if low is None or high is None else (high - low) / (most - fewest)
        for low, high in zip(least, largest, strict=True)
    ]


def _peaks(bench: Bench, server: Server, count: int) -> tuple[float | None, float | None, list[str]]:
    """The most memory and the most KV in MiB while `count` streams run; None where a stream failed."""
    server.check_alive()
    words = _QUICK_WORDS if bench.is_quick else _WORDS
    model = server.model(bench.models.first)
    bodies = [{**prompts.long(words, _TOKENS), "model": model, "ignore_eos": True} for _ in range(count)]
    answered, readings = asyncio.run(_watch(server, bodies, bench))
    if answered.failures or not readings:
        return None, None, answered.failure_notes(server.name)
    held, kv = (max(of) / _MIB for of in zip(*readings, strict=True))
    return held, kv or None, answered.notes(server.name)


async def _watch(
    server: Server, bodies: Sequence[Mapping[str, Any]], bench: Bench
) -> tuple[AnswerRound, list[tuple[int, int]]]:
    """Send all requests and read the memory until the last answer has ended."""
    readings: list[tuple[int, int]] = []
    answers = asyncio.create_task(client.ask_together(server.address, bodies))
    while not answers.done():
        await asyncio.wait([answers], timeout=_POLL_S)
        if isinstance(server, Ours):
            memory = (await server.pool_now()).of(server.model(bench.models.first)).memory
            readings.append((memory.resident, memory.kv))
        elif isinstance(server, StartedPeer):
            readings.append((server.resident_bytes, 0))
    return await answers, readings
