"""The time until the site responds, and the time of a load beyond reading its weights."""

import time
from pathlib import Path

from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.models import weight_files
from inference.management.bench.servers import Ours

_START_AIM = Aim(sign="<", value=2, of="ours")
_LOAD_AIM = Aim(sign="<", value=1, of="ours")
_CHUNK_BYTES = 2**24


def measure(bench: Bench) -> list[Figure]:
    first: list[float] = []
    again: list[float] = []
    firsts: list[float] = []
    loads: list[float] = []
    reads: list[float] = []
    model = bench.models.first
    for number in bench.repetitions("start"):
        scratch = bench.scratch / f"start-{number}"
        scratch.mkdir()
        site = Ours(bench.models.folder, scratch)
        first.append(_started(site))
        seconds, (verified, known) = _loaded(site, model)
        again.append(seconds)
        firsts.append(verified)
        loads.append(known)
        reads.append(read_seconds(model))
    beyond = [load - read for load, read in zip(loads, reads, strict=True)]
    notes = [f"reading the weights of {model.name} takes {max(reads):.2f} s at most"]
    return [
        figure("start", "to /health in a new data folder", "s", first),
        figure("start", "to /health", "s", again, aim=_START_AIM),
        figure("start", "first load of a kind of model, which is verified", "s", firsts),
        figure("start", "load from the spare", "s", loads),
        figure("start", "the same less reading the weights", "s", beyond, aim=_LOAD_AIM, notes=notes),
    ]


def _started(site: Ours) -> float:
    """Seconds to /health."""
    try:
        return site.start()
    finally:
        site.stop()


def _loaded(site: Ours, model: Path) -> tuple[float, tuple[float, float]]:
    """Seconds to /health, and of two loads: the first verifies this kind of model, the second does not."""
    try:
        return site.start(), (_load(site, model), _load(site, model))
    finally:
        site.stop()


def _load(site: Ours, model: Path) -> float:
    site.wait_for(lambda pool: pool.is_spare_ready, "to have a spare")
    site.act("load", model)
    seconds = site.pool().of(site.model(model)).load_s
    site.act("unload", model)
    return seconds


def read_seconds(model: Path) -> float:
    """The seconds to read the weight files from the page cache, which every load needs."""
    buffer = bytearray(_CHUNK_BYTES)
    started = time.perf_counter()
    for file in weight_files(model):
        with file.open("rb", buffering=0) as weights:
            while weights.readinto(buffer):
                pass
    return time.perf_counter() - started
