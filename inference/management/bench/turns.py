"""Three models in turns with room for one: how often it loads, and how long anybody waits."""

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
    """All requests asked once: how long each waited to be accepted, and how many loads it took."""

    waits: tuple[float, ...]
    loads: float | None  # None where a request failed
    complaints: tuple[str, ...]


def measure(bench: Bench) -> list[Figure]:
    """Asked all at once, and one after the other as strict order would serve them."""
    at_once: list[Turns] = []
    strictly: list[Turns] = []
    folders = bench.models.copies(_MODELS)
    scratch = bench.scratch / "turns"
    scratch.mkdir()
    settings = {"MLX_SERVER_MEMORY_LIMIT": str(_room_for_one(folders[0])), "MLX_SERVER_MIN_RESIDENCY_S": "0"}
    with Ours(bench.models.folder, scratch, settings=settings) as site:
        for _ in bench.repetitions("swap, with room for one"):
            at_once.append(_taken(site, folders, _requests(bench), is_strict=False))
            strictly.append(_taken(site, folders, _requests(bench), is_strict=True))
    pairs = [worst(one.waits, other.waits) for one, other in zip(at_once, strictly, strict=True)]
    what = f"{_MODELS} models in turns with room for one, {_requests(bench)} requests at once"
    loads = [[one.loads for one in runs] for runs in (at_once, strictly)]
    waits = [[pair[side] if pair else None for pair in pairs] for side in (0, 1)]
    notes = [text for one in (*at_once, *strictly) for text in one.complaints]
    against = "strict order"
    return [
        figure("swap", f"{what}: loads", "", *loads, against=against, aim=_LOADS_AIM, notes=notes),
        figure("swap", f"{what}: the wait that is worst", "s", *waits, against=against, aim=_WAIT_AIM),
    ]


def worst(waits: Sequence[float], strictly: Sequence[float]) -> tuple[float, float] | None:
    """The wait that strict order would shorten most, and what it is there; None where one is missing."""
    if len(waits) != len(strictly) or not waits:
        return None
    return max(zip(waits, strictly, strict=True), key=lambda pair: pair[0] / pair[1])


def _taken(site: Ours, folders: Sequence[Path], count: int, *, is_strict: bool) -> Turns:
    site.ask(folders[-1], [prompts.short(1)])  # what is there before is the same for both
    before = _loads_of(site)
    names = [site.model(folders[place % len(folders)]) for place in range(count)]
    bodies = [{**prompts.short(_TOKENS), "model": name} for name in names]
    began = time.perf_counter()
    rounds = [[body] for body in bodies] if is_strict else [bodies]
    answered = [asyncio.run(client.ask_together(site.port, one, gap_s=_GAP_S)) for one in rounds]
    complaints = tuple(text for one in answered for text in one.complaints("ours"))
    waits = tuple(answer.begun - began for one in answered for answer in one.answers)
    return Turns(waits, None if complaints else _loads_of(site) - before, complaints)


def _loads_of(site: Ours) -> int:
    return sum(event.kind == "loaded" for event in site.pool().events)


def _requests(bench: Bench) -> int:
    return _QUICK_REQUESTS if bench.is_quick else _REQUESTS


def _room_for_one(folder: Path) -> int:
    """A limit in which the model fits with its requests, and no second one beside it."""
    card = Catalog(folder.parent, use_hub_cache=False, choices=dict).exact(folder.name)
    if card is None:
        raise FileNotFoundError(f"{folder} is no model")
    return card.load_bytes + card.resident_bytes // 2
