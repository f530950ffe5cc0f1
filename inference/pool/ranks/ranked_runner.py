"""RankedRunner: a Runner whose model several processes compute together."""

import asyncio
from collections.abc import Iterable

from msgspec import structs

from inference.core import protocol
from inference.core.cpu_tuning import CpuTuning, Tune
from inference.core.errors import ModelLoadFailed
from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory, RankState
from inference.core.protocol import Heartbeat, Hello, Load, LoadFailed, Ready
from inference.pool.ranks.placement import RankSetup
from inference.pool.ranks.rank_group import RankGroup
from inference.pool.workers import exit_reason
from inference.pool.workers.worker_process import ProcessRunner

_KILL_AFTER_S = 0.5  # from the end of one rank: what it brought may be seen by then


class RankedRunner(ProcessRunner):
    """A ProcessRunner of rank 0 that watches the others, counts their memory and ends with any of them.

    Memory is that of the ranks on this machine.
    """

    def __init__(
        self,
        options: Load,
        setup: RankSetup,
        *,
        blas: str = "",
        stuck_after_s: float = 120.0,
        tune: Tune = CpuTuning,
    ) -> None:
        self._setup = setup
        self._group = RankGroup(blas, stuck_after_s, on_failed=self._on_failed, on_end=self._on_follower_end)
        super().__init__(options, stuck_after_s=stuck_after_s, tune=tune, child=self._group)
        self._own_memory = Memory()
        self._local = 1

    @property
    def ranks(self) -> tuple[RankState, ...]:
        own = RankState(rank=0, pid=self.pid, memory=self._own_memory)
        return (own, *self._group.states)

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        """Start the ranks of this model and load it; raises ModelLoadFailed."""
        self._local = self._setup.local(card.ranks)
        try:
            self._group.placements = self._setup.placements(card.ranks)
        except ValueError as error:
            raise ModelLoadFailed(str(error), kind="refused") from None
        # All ranks have equal parts of what is stored for later prompts.
        self._options = structs.replace(
            self._options,
            prefix_cache_bytes=self._options.prefix_cache_bytes // self._local,
            ranks_backend=self._setup.backend.removesuffix("-ring"),
        )
        return await super().load(card, on_progress)

    def shed(self, keep_bytes: int) -> None:
        """Ask it to shrink its prefix caches to `keep_bytes` together."""
        super().shed(keep_bytes // self._local)

    async def _start(self) -> None:
        """Start all ranks; a load begins once all are there, for those that connect wait half a minute."""
        await super()._start()
        await asyncio.gather(*(one.wait_started() for one in self._group.followers))

    def _handle(self, frame: protocol.Up) -> None:
        match frame:
            case Hello(memory=memory) | Heartbeat(memory=memory):
                self._own_memory = memory
                frame = structs.replace(frame, memory=self._sum())
            case Ready(loaded=loaded):
                self._own_memory = loaded.memory
                kv_bytes = loaded.kv_bytes_per_token * self._local
                loaded = structs.replace(loaded, memory=self._sum(), kv_bytes_per_token=kv_bytes)
                frame = Ready(loaded=loaded)
        super()._handle(frame)

    def _sum(self) -> Memory:
        local = [one.state.memory for one in self._group.followers if one.is_local]
        return total([self._own_memory, *local])

    def _on_failed(self, failed: LoadFailed) -> None:
        self._load.resolve(ModelLoadFailed(failed.reason, kind=failed.kind))

    def _on_follower_end(self) -> None:
        """End all ranks: the others would wait for this one."""
        if not (self._is_stopping or self._ended.is_set()):
            asyncio.get_running_loop().call_later(_KILL_AFTER_S, self._group.kill)

    async def _read_exit_reason(self) -> None:
        """Set the end reason from the exit status of the rank that ended first."""
        if self.end_reason or self._is_stopping:
            return
        if problem := self._group.problem:
            self.end_reason, self.death_reason = problem, "stuck"
            return
        rank, code = await self._group.cause()
        self.end_reason = exit_reason.from_exit_code(code, f"its rank {rank}")
        self.death_reason = exit_reason.death_reason(code)
        self._end_kind = exit_reason.load_failure_kind(code)


def total(memories: Iterable[Memory]) -> Memory:
    """The sums of all figures."""
    found = list(memories)
    return Memory(**{name: sum(getattr(one, name) for one in found) for name in Memory.__struct_fields__})
