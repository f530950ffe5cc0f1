"""Three models in turn with memory for one: the number of loads, and the longest wait."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.management.bench import client, prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.servers import Ours
from inference.repository.catalog import Catalog

_MODELS = 3
_REQUESTS, _QUICK_REQUESTS = 12, 6
_TOKENS = 8
_GAP_S = 0.02  # between two requests: they have to arrive in this order
_LOADS_AIM = Aim(sign="<=", value=4, of="ours")
_WAIT_AIM = Aim(sign="<=", value=2)


@dataclass(frozen=True)
class Turns:
    """One run of all requests: how long each waited to be accepted, and the number of loads."""

    waits: tuple[float, ...]
    loads: float | None  # None where a request failed
    failures: tuple[str, ...]


def measure(bench: Bench) -> list[Figure]:
    """All requests at once, and for comparison one after the other in strict order."""
    at_once: list[Turns] = []
    in_order: list[Turns] = []
    folders = bench.models.copies(_MODELS)
    scratch = bench.scratch / "turns"
    scratch.mkdir()
    settings = {"MLX_SERVER_MEMORY_LIMIT": str(_limit_for_one(folders[0])), "MLX_SERVER_MIN_RESIDENCY_S": "0"}
    with Ours(bench.models.folder, scratch, settings=settings) as site:
        for _ in bench.repetitions("swap, with memory for one"):
            at_once.append(_run(site, folders, _requests(bench), is_strict=False))
            in_order.append(_run(site, folders, _requests(bench), is_strict=True))
    pairs = [worst(one.waits, other.waits) for one, other in zip(at_once, in_order, strict=True)]
    what = f"{_MODELS} models in turns with memory for one, {_requests(bench)} requests at once"
    loads = [[one.loads for one in runs] for runs in (at_once, in_order)]
    waits = [[pair[side] if pair else None for pair in pairs] for side in (0, 1)]
    notes = [text for one in (*at_once, *in_order) for text in one.failures]
    against = "strict order"
    return [
        figure("swap", f"{what}: loads", "", *loads, against=against, aim=_LOADS_AIM, notes=notes),
        figure("swap", f"{what}: the wait that is worst", "s", *waits, against=against, aim=_WAIT_AIM),
    ]


def worst(waits: Sequence[float], in_order: Sequence[float]) -> tuple[float, float] | None:
    """The wait that strict order would shorten most, and the wait in strict order; None if one is missing."""
    if len(waits) != len(in_order) or not waits:
        return None
    return max(zip(waits, in_order, strict=True), key=lambda pair: pair[0] / pair[1])


def _run(site: Ours, folders: Sequence[Path], count: int, *, is_strict: bool) -> Turns:
    site.ask(folders[-1], [prompts.short(1)])  # the same model is in memory before both
    before = _loads_of(site)
    names = [site.model(folders[place % len(folders)]) for place in range(count)]
    bodies = [{**prompts.short(_TOKENS), "model": name} for name in names]
    started = time.perf_counter()
    rounds = [[body] for body in bodies] if is_strict else [bodies]
    delays = [place * _GAP_S for place in range(count)]
    answered = [
        asyncio.run(client.ask_together(site.port, one, after_s=delays[: len(one)])) for one in rounds
    ]
    failures = tuple(text for one in answered for text in one.failure_notes("ours"))
    waits = tuple(answer.begun - started for one in answered for answer in one.answers)
    return Turns(waits, None if failures else _loads_of(site) - before, failures)


def _loads_of(site: Ours) -> int:
    return sum(event.kind == "loaded" for event in site.pool().events)


def _requests(bench: Bench) -> int:
    return _QUICK_REQUESTS if bench.is_quick else _REQUESTS


def _limit_for_one(folder: Path) -> int:
    """A memory limit for one model with its requests, too small for a second one."""
    card = Catalog(folder.parent, use_hub_cache=False, choices=dict).exact(folder.name)
    if card is None:
        raise FileNotFoundError(f"{folder} is not a model")
    return card.load_bytes + card.resident_bytes // 2
