"""A model of two ranks on real workers, and what may be asked of it."""

from pathlib import Path

import psutil
from msgspec import structs

from inference.core.events import Event, TextDelta
from inference.core.pool_state import Loaded
from inference.pool.ranks.placement import RankSetup
from inference.pool.ranks.ranked_runner import RankedRunner
from tests.fakes import card
from tests.pool.worker_models import OPTIONS

CACHED = structs.replace(OPTIONS, prefix_cache_bytes=2**24)


async def start(
    folder: Path, setup: RankSetup | None = None, *, ranks: int = 2, stuck_after_s: float = 120
) -> tuple[RankedRunner, Loaded]:
    runner = RankedRunner(CACHED, setup or RankSetup(), stuck_after_s=stuck_after_s)
    loaded = await runner.load(
        structs.replace(card(path=str(folder)), ranks=ranks, context_length=8192), lambda progress: None
    )
    return runner, loaded


def processes(runner: RankedRunner) -> list[psutil.Process]:
    """The processes of all ranks on this machine, rank 0 first."""
    return [psutil.Process(rank.pid) for rank in runner.ranks if not rank.host]


def text(events: list[Event], index: int = 0) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta) and one.index == index)
