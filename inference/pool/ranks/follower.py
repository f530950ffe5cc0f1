"""A rank behind rank 0 as a process of the pool: on this machine, or on another one by ssh."""

import asyncio
import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from inference.core import protocol
from inference.core.pool_state import Memory, RankState
from inference.core.protocol import Heartbeat, Hello, LoadFailed, Ready
from inference.core.subprocess_environment import of_helpers, of_workers
from inference.pool.ranks.placement import Placement
from inference.pool.workers.child_process import relay
from inference.pool.workers.watchdog import Watchdog

logger = logging.getLogger(__name__)
_STOP_GRACE_S = 3.0
_MODULE = ("-m", "inference.worker.lockstep")
# A machine that went dark ends its ssh after six seconds.
_SSH = (
    *("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=3"),
)


class FollowerProcess:
    """Starts, watches and ends one rank.

    `on_failed` gets why it cannot load; `on_end` is called once it has ended.
    """

    def __init__(
        self,
        placement: Placement,
        *,
        stuck_after_s: float,
        on_failed: Callable[[LoadFailed], None],
        on_end: Callable[[], None],
    ) -> None:
        self._placement = placement
        self._watchdog = Watchdog(stuck_after_s)
        self._on_failed, self._on_end = on_failed, on_end
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._memory = Memory()
        self._pid: int | None = None  # on its own machine
        self._is_over_starting = asyncio.Event()
        self.was_killed = False
        self.problem = ""  # why the pool ended it

    @property
    def rank(self) -> int:
        return self._placement.rank

    @property
    def is_local(self) -> bool:
        return self._placement.host.is_local

    @property
    def state(self) -> RankState:
        host = "" if self.is_local else self._placement.host.ssh
        return RankState(rank=self.rank, host=host, pid=self._pid, memory=self._memory)

    @property
    def exit_code(self) -> int | None:
        """Its exit status; None while it runs, and where the pool ended it."""
        return self._process.returncode if self._process and not self.was_killed else None

    async def start(self, folder: Path, blas: str, tuning: Mapping[str, str]) -> int:
        """Spawn the process; returns the end of the pipe to its input, for rank 0. Raises OSError."""
        (rounds, to_it), (frames, its_frames), (log, its_log) = os.pipe(), os.pipe(), os.pipe()
        try:
            self._process = await self._spawn(folder, blas, tuning, (rounds, its_frames, its_log))
        except OSError:
            for end in (to_it, frames, log):
                os.close(end)
            raise
        finally:
            for end in (rounds, its_frames, its_log):
                os.close(end)
        self._pid = self._process.pid
        self._tasks = [
            asyncio.create_task(self._follow(frames)),
            asyncio.create_task(relay(log, f"rank{self.rank}[{self._process.pid}]")),
            asyncio.create_task(self._watch()),
        ]
        return to_it

    async def wait_started(self) -> None:
        """Return once its imports are done, or it has ended."""
        await self._is_over_starting.wait()

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self.was_killed = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def wait(self, timeout_s: float) -> bool:
        """Whether it has ended within this time."""
        if not self._process:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), timeout_s)
        return self._process.returncode is not None

    async def reap(self) -> None:
        """Wait for its end, which that of rank 0 brings, and kill it when it takes too long."""
        if not await self.wait(_STOP_GRACE_S) and self._process:
            logger.warning("Rank %s did not end by itself; killing it", self.rank)
            self.kill()
            await self._process.wait()
        if self._tasks:
            self._tasks[-1].cancel()
            await asyncio.wait(self._tasks, timeout=0.5)

    async def _spawn(
        self, folder: Path, blas: str, tuning: Mapping[str, str], ends: tuple[int, int, int]
    ) -> asyncio.subprocess.Process:
        rounds, frames, log = ends
        one = self._placement
        local = (sys.executable, *_MODULE, "--blas", blas)
        command = local if self.is_local else (*_SSH, "--", one.host.ssh, remote_script(one))
        env = of_workers() | dict(tuning) | written(one, folder) if self.is_local else of_helpers()
        return await asyncio.create_subprocess_exec(
            *command, stdin=rounds, stdout=frames, stderr=log, env=env, start_new_session=True
        )

    async def _follow(self, frames: int) -> None:
        """Handle its frames until it ends."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(frames, "rb", buffering=0)
        )
        with contextlib.closing(transport):
            try:
                while frame := await protocol.read_up(reader):
                    self._handle(frame)
            except protocol.ProtocolBroken as error:
                logger.error("Rank %s broke the protocol (%s); ending it", self.rank, error)
                self._end("sent an invalid message")
        await self.wait(_STOP_GRACE_S)
        self._is_over_starting.set()
        self._on_end()

    def _handle(self, frame: protocol.Up) -> None:
        """Handle one frame; raises ProtocolBroken for another version of the protocol."""
        self._watchdog.note_progress()
        match frame:
            case Hello(version=version, pid=pid, memory=memory):
                if version != protocol.VERSION:
                    raise protocol.ProtocolBroken(f"protocol version {version}")
                self._pid, self._memory = pid, memory
                self._watchdog.note_started()
                self._is_over_starting.set()
            case Heartbeat(memory=memory):
                self._memory = memory
            case Ready(loaded=loaded):
                self._memory = loaded.memory
            case LoadFailed():
                self._on_failed(frame)

    async def _watch(self) -> None:
        """Kill it when it says nothing any more; whether it makes progress shows in that of rank 0."""
        while True:
            await asyncio.sleep(self._watchdog.tick_s)
            if self._watchdog.tick(is_busy=False):
                logger.error("Killing rank %s: it gave no sign of life", self.rank)
                self._end(f"did not respond for {self._watchdog.limit_s:g} s")
                return

    def _end(self, problem: str) -> None:
        self.problem = problem
        self.kill()


def written(placement: Placement, folder: Path) -> dict[str, str]:
    """The environment of a rank on this machine; its files are written into `folder`."""
    names = {}
    for variable, content in placement.files.items():
        path = folder / f"{variable.lower()}.json"
        path.write_text(content)
        names[variable] = str(path)
    return placement.variables | names


def remote_script(placement: Placement, python: str = sys.executable) -> str:
    """What a shell on another machine runs: a rank, in an installation at the same path as this one.

    Its files are removed when it ends, which the end of its input brings.
    """
    variables = of_workers({}) | placement.variables
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    for variable, content in placement.files.items():
        exports.append(f'export {variable}="$(mktemp)" && printf %s {shlex.quote(content)} >"${variable}"')
    names = " ".join(f'"${variable}"' for variable in placement.files)
    removal = f"rm -f {names}; " if names else ""
    run = shlex.join((python, *_MODULE))
    return f"{'; '.join(exports)}; {run}; code=$?; {removal}exit $code"
