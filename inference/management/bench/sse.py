"""Server-sent events per second of one site process, with a runner that costs no time."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from inference.core.config import BASE_DIR
from inference.core.subprocess_environment import for_our_modules
from inference.management.bench.bench import Bench
from inference.management.bench.client import CHAT
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.scripted import MODEL, WORD
from inference.management.bench.servers import ServerEnded, free_port

_EVENTS = {1: 16_000, 16: 32_000, 64: 48_000, 256: 64_000}  # in total, for each number of streams
_QUICK = {1: 4_000, 16: 8_000}
_NEEDLE = json.dumps({"content": WORD}, separators=(",", ":")).strip("{}").encode()
_RATE_AIM = Aim(sign=">=", value=8_000, of="ours")
_FLAT_AIM = Aim(sign="<=", value=1.25)
_LIMIT_S = 120


@dataclass(frozen=True)
class MeasuredRound:
    """One round: its events, its duration and its CPU time."""

    events: int
    reads: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_seconds / self.events * 1e6


def measure(bench: Bench) -> list[Figure]:
    counts = _QUICK if bench.is_quick else _EVENTS
    measured: dict[int, list[MeasuredRound]] = {streams: [] for streams in counts}
    with scripted_site(bench) as (site, port):
        _round(site, port, 1, 500)  # imports and the first load
        for _ in bench.repetitions("sse"):
            for streams, events in counts.items():
                measured[streams].append(_round(site, port, streams, events // streams))
    fewest, most = min(counts), max(counts)
    return [
        *(of for streams in counts for of in _figures(streams, measured[streams])),
        figure(
            "sse",
            f"CPU an event, {most} streams to {fewest}",
            "us",
            [one.cpu_us for one in measured[most]],
            [one.cpu_us for one in measured[fewest]],
            against=f"{fewest} stream",
            aim=_FLAT_AIM,
        ),
    ]


def _figures(streams: int, measured: list[MeasuredRound]) -> list[Figure]:
    what = f"{streams} stream{'s' if streams > 1 else ''}"
    merged = [one.events / one.reads for one in measured]
    notes = [f"{what}: up to {max(merged):.1f} events a read of the client"]
    return [
        figure("sse", f"{what}, events", "1/s", [one.rate for one in measured], aim=_RATE_AIM, notes=notes),
        figure("sse", f"{what}, CPU an event", "us", [one.cpu_us for one in measured]),
    ]


@contextmanager
def scripted_site(bench: Bench) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The site's process, listening, and its port."""
    data = bench.scratch / "data-scripted"
    data.mkdir(exist_ok=True)
    env = (
        dict(os.environ)
        | for_our_modules()
        | {"MLX_SERVER_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "mlxsite.settings"}
    )
    port = free_port()
    log = bench.scratch / "scripted.log"
    with log.open("w") as stderr:
        site = subprocess.Popen(
            [sys.executable, "-m", "inference.management.bench.site", "--port", str(port)],
            cwd=BASE_DIR,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        if not site.stdout or "ready" not in site.stdout.readline():
            raise ServerEnded(f"the scripted site did not start: {log.read_text()[-500:]}")
        yield site, port
    finally:
        if site.stdin:
            site.stdin.close()
        try:
            site.wait(10)
        except subprocess.TimeoutExpired:
            site.kill()
            site.wait()


def _round(site: "subprocess.Popen[str]", port: int, streams: int, tokens: int) -> MeasuredRound:
    try:
        return asyncio.run(_drive(site, port, streams, tokens))
    except TimeoutError:
        raise ServerEnded(f"{streams} streams of the scripted site did not end in {_LIMIT_S} s") from None


async def _drive(site: "subprocess.Popen[str]", port: int, streams: int, tokens: int) -> MeasuredRound:
    loop = asyncio.get_running_loop()
    process = psutil.Process(site.pid)
    readers = [StreamReader(tokens) for _ in range(streams)]
    async with asyncio.timeout(_LIMIT_S):
        for reader in readers:
            await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*(reader.opened for reader in readers))
        before, started = _cpu_seconds(process), time.perf_counter()
        if site.stdin:
            site.stdin.write("go\n")
            site.stdin.flush()
        # All streams advance together, so measure until the first one ends: the cost of ending streams is
        # not part of the cost of an event.
        await asyncio.wait([reader.done for reader in readers], return_when=asyncio.FIRST_COMPLETED)
        seconds, cpu = time.perf_counter() - started, _cpu_seconds(process) - before
        events, reads = (sum(getattr(r, name) for r in readers) for name in ("events", "reads"))
        await asyncio.gather(*(reader.done for reader in readers))
    return MeasuredRound(events, reads, seconds, cpu)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class StreamReader(asyncio.Protocol):
    """Sends one request and counts events in the raw bytes, to leave the CPU to the site."""

    def __init__(self, tokens: int) -> None:
        loop = asyncio.get_running_loop()
        self.opened, self.done = loop.create_future(), loop.create_future()
        self.events = self.reads = 0
        self._tokens = tokens
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_request(self._tokens))

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            if b"data: " in data:
                self.opened.set_result(None)
            return
        self.reads += 1
        received = self._rest + data
        self.events += received.count(_NEEDLE)
        # An event may continue in the next read. The rest is too short for a complete needle.
        self._rest = received[-(len(_NEEDLE) - 1) :]
        if self.events >= self._tokens and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.opened, self.done):
            if not future.done():
                future.set_exception(ServerEnded("the scripted site closed a stream"))


def _request(tokens: int) -> bytes:
    fields = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    body = json.dumps({**fields, "max_tokens": tokens}).encode()
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
