"""How soon the site answers, and what a load costs beyond reading its weights."""

import time
from pathlib import Path

from inference.bench.bench import Bench
from inference.bench.figures import Aim, Figure, figure
from inference.bench.models import weight_files
from inference.bench.servers import Ours

_START_AIM = Aim(sign="<", value=2, of="ours")
_LOAD_AIM = Aim(sign="<", value=1, of="ours")
_CHUNK_BYTES = 2**24


def measure(bench: Bench) -> list[Figure]:
    first: list[float] = []
    again: list[float] = []
    loads: list[float] = []
    reads: list[float] = []
    model = bench.models.first
    for number in bench.repetitions("start"):
        scratch = bench.scratch / f"start-{number}"
        scratch.mkdir()
        site = Ours(bench.models.folder, scratch)
        first.append(_started(site))
        again.append(_started(site, model, loads))
        reads.append(read_seconds(model))
    beyond = [load - read for load, read in zip(loads, reads, strict=True)]
    notes = [f"reading the weights of {model.name} takes {max(reads):.2f} s at most"]
    return [
        figure("start", "to /health in a new data folder", "s", first),
        figure("start", "to /health", "s", again, aim=_START_AIM),
        figure("start", "load from the spare", "s", loads),
        figure("start", "the same less reading the weights", "s", beyond, aim=_LOAD_AIM, notes=notes),
    ]


def _started(site: Ours, model: Path | None = None, loads: list[float] | None = None) -> float:
    """Seconds to /health; with a model, its load's seconds are added to `loads`."""
    try:
        seconds = site.start()
        if model and loads is not None:
            site.wait_for(lambda pool: pool.is_spare_ready, "to have a spare")
            site.act("load", model)
            loads.append(site.pool().of(site.model(model)).load_s)
        return seconds
    finally:
        site.stop()


def read_seconds(model: Path) -> float:
    """What reading the weight files takes, which no load can save: from the page cache, as the load does."""
    buffer = bytearray(_CHUNK_BYTES)
    started = time.perf_counter()
    for file in weight_files(model):
        with file.open("rb", buffering=0) as weights:
            while weights.readinto(buffer):
                pass
    return time.perf_counter() - started
