"""RankGroup: the processes that compute one model together, in the place of a single worker process."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from inference.core.cpu_tuning import CpuTuning
from inference.core.pool_state import RankState
from inference.core.protocol import LoadFailed
from inference.pool.ranks.follower import FollowerProcess, written
from inference.pool.ranks.placement import Placement
from inference.pool.workers.child_process import ChildProcess

_DISAGREED = 77  # the exit status of a rank that computed something else than rank 0
_EXIT_GRACE_S = 2.0  # between the ends of two ranks of which one brought the other's


class RankGroup(ChildProcess):
    """Rank 0, which is a worker with pipes to the others, and the others. They end together.

    1. The others are started, each with a pipe as its input.
    2. Rank 0 is started with the other ends of these pipes. The site closes its own copies, so that the end
       of rank 0 is the end of the others' input.
    3. When one of the others ends, `on_end` is called.
    """

    def __init__(
        self,
        blas: str,
        stuck_after_s: float,
        *,
        on_failed: Callable[[LoadFailed], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(blas)
        self._stuck_after_s = stuck_after_s
        self._on_failed, self._on_end = on_failed, on_end
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self.placements: list[Placement] = []
        self.followers: list[FollowerProcess] = []

    @property
    def states(self) -> tuple[RankState, ...]:
        """The ranks behind rank 0."""
        return tuple(one.state for one in self.followers)

    @property
    def problem(self) -> str:
        """Why the pool ended one of the ranks behind rank 0; empty where it ended none."""
        found = (f"its rank {one.rank} {one.problem}" for one in self.followers if one.problem)
        return next(found, "")

    async def start(self, tuning: CpuTuning) -> asyncio.StreamReader:
        """Spawn all ranks and return the stream of rank 0's frames; raises OSError."""
        self._files = tempfile.TemporaryDirectory(prefix="mlx-ranks-")
        folder, pipes = Path(self._files.name), list[int]()
        try:
            for placement in self.placements[1:]:
                pipes.append(await self._start_follower(placement, folder, tuning))
            first = written(self.placements[0], folder)
            self.pipes, self.variables = tuple(pipes), first
            return await super().start(tuning)
        except OSError:
            self.kill()
            raise
        finally:
            for pipe in pipes:
                os.close(pipe)

    async def _start_follower(self, placement: Placement, folder: Path, tuning: CpuTuning) -> int:
        follower = FollowerProcess(
            placement,
            stuck_after_s=self._stuck_after_s,
            on_failed=self._on_failed,
            on_end=self._on_end,
        )
        pipe = await follower.start(folder, self._blas, tuning.environment())
        self.followers.append(follower)
        return pipe

    def kill(self) -> None:
        """Kill all ranks that still run."""
        super().kill()
        for follower in self.followers:
            follower.kill()

    async def reap(self) -> None:
        """Wait for the ends of all ranks, and kill those that take too long."""
        await asyncio.gather(super().reap(), *(one.reap() for one in self.followers))
        if self._files:
            with contextlib.suppress(OSError):
                self._files.cleanup()

    async def cause(self) -> tuple[int, int | None]:
        """The rank whose end brought the ends of the others, with its exit status.

        A signal is the likeliest cause, then a rank that found its results to be others. A rank that lost
        its input ends with 0, and one that lost a peer with an error.
        """
        await asyncio.gather(*(one.wait(_EXIT_GRACE_S) for one in self.followers))
        own = await self.exit_code()
        codes = [(0, None if self.was_killed else own)]
        codes += [(one.rank, one.exit_code) for one in self.followers]
        ended = [(rank, code) for rank, code in codes if code]
        return min(ended, key=lambda one: _likelihood(one[1]), default=(0, own))


def _likelihood(code: int) -> int:
    """The place of an exit status among possible causes, the likeliest first."""
    return 0 if code < 0 else 1 if code == _DISAGREED else 2
