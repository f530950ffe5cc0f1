"""Two models in turn: both stay in memory here, while mlx_lm.server holds one and loads at every change.

Then three models with memory for one, see turns.py.
"""

import time

from inference.management.bench import prompts, turns
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.servers import Server

_REQUESTS, _QUICK_REQUESTS = 8, 4
_TOKENS = 8
_AIM = Aim(sign=">=", value=5)


def measure(bench: Bench) -> list[Figure]:
    servers = [server for server in bench.servers if server.serves_folders]
    times: dict[str, list[float | None]] = {server.name: [] for server in servers}
    notes: list[str] = []
    for server in servers:
        server.ask(bench.models.second, [prompts.short(1)])  # the only load that ours needs
    for _ in bench.repetitions("swap"):
        for server in servers:
            rate, failures = _alternating(bench, server)
            times[server.name].append(rate)
            notes += failures
    theirs = "".join(server.name for server in servers if server is not bench.ours)
    count = _requests(bench)
    return [
        figure(
            "swap",
            f"two models in turn, {count} requests of {_TOKENS} tokens",
            "requests/s",
            times["ours"],
            times.get(theirs, []),
            against=theirs,
            aim=_AIM,
            notes=notes,
        ),
        *turns.measure(bench),
    ]


def _alternating(bench: Bench, server: Server) -> tuple[float | None, list[str]]:
    """Requests per second, one after the other; None if any of them failed."""
    notes: list[str] = []
    started = time.perf_counter()
    for number in range(_requests(bench)):
        folder = (bench.models.first, bench.models.second)[number % 2]
        notes += server.ask(folder, [prompts.short(_TOKENS)]).failure_notes(server.name)
    return (None if notes else _requests(bench) / (time.perf_counter() - started)), notes


def _requests(bench: Bench) -> int:
    return _QUICK_REQUESTS if bench.is_quick else _REQUESTS
