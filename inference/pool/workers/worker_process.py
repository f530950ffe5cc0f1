"""ProcessRunner: a Runner whose model lives in a worker process of its own (inference.worker)."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable

import msgspec

from inference.core import protocol
from inference.core.cpu_tuning import CpuTuning, Tune
from inference.core.errors import (
    BodyTooLarge,
    LoadFailure,
    ModelLoadFailed,
    ShuttingDown,
    WorkerDied,
)
from inference.core.events import Event
from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import DeathReason, Loaded, Memory, RankState
from inference.core.protocol import (
    Cancel,
    DropLoras,
    EndThinking,
    GrowthWanted,
    Heartbeat,
    Hello,
    Load,
    LoadFailed,
    Loading,
    Ready,
    Shed,
    Step,
    Stop,
    Submit,
    ThinkingEnded,
)
from inference.core.refusal_errors import from_refusal
from inference.core.requests import Request
from inference.pool.workers import exit_reason
from inference.pool.workers.child_process import ChildProcess
from inference.pool.workers.growths import Growth, Growths
from inference.pool.workers.inboxes import Inboxes, is_last
from inference.pool.workers.load_frame import load_frame
from inference.pool.workers.pending_load import PendingLoad
from inference.pool.workers.thinking_ends import ThinkingEnds
from inference.pool.workers.watchdog import Watchdog

logger = logging.getLogger(__name__)


class ProcessRunner:
    """Starts, feeds, watches and ends one worker process."""

    def __init__(
        self,
        options: Load,
        *,
        blas: str = "",
        stuck_after_s: float = 120.0,
        tune: Tune = CpuTuning,
        child: ChildProcess | None = None,
    ) -> None:
        self._options = options
        self._child = child or ChildProcess(blas)
        self._tune = tune  # may take seconds: called on a thread
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._load = PendingLoad()
        self._inboxes, self._thinking_ends = Inboxes(), ThinkingEnds()
        self._growths = Growths(self._send)
        self._is_over_starting, self._ended = asyncio.Event(), asyncio.Event()
        self._is_stopping = False
        self._watchdog = Watchdog(stuck_after_s)
        self.steps, self._running = 0, 0
        self._report: Callable[[Memory], None] = lambda memory: None
        self.memory, self.device_bytes, self.end_reason = Memory(), 0, ""
        self.death_reason: DeathReason = "unknown"
        self._end_kind: LoadFailure = "died"

    @property
    def ranks(self) -> tuple[RankState, ...]:
        return ()

    @property
    def pid(self) -> int | None:
        return self._child.pid

    async def warm_up(self) -> bool:
        """Start the process and wait until its imports are done; False if it has ended instead."""
        await self._start()
        await self._is_over_starting.wait()
        return not self._ended.is_set()

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        """Load the model, reporting its progress; raises ModelLoadFailed."""
        loaded = self._load.begin(on_progress)
        await self._start()
        if self._ended.is_set():
            self._fail_load()
        self._send(load_frame(self._options, card))
        return await loaded

    @property
    def is_late(self) -> bool:
        return self._watchdog.is_late and not self._ended.is_set()

    def shed(self, keep_bytes: int) -> None:
        """Ask it to shrink its prefix cache to `keep_bytes`; the next memory report has the outcome."""
        self._send(Shed(keep_bytes=keep_bytes))

    def drop_loras(self, names: tuple[str, ...]) -> None:
        """Have it drop these adapters, which no request uses; the next memory report has the outcome."""
        self._send(DropLoras(names=names))

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        """Call `report` on the loop with every memory report from now on."""
        self._report = report

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        """Run one request: Accepted first, Finished last; closing it cancels.

        Raises BodyTooLarge, WorkerDied, ShuttingDown, or the ServerError that the worker answers with.
        """
        if self._ended.is_set():
            raise self._lost_error()
        number, inbox = self._inboxes.open()
        self._thinking_ends.open(number, request)
        try:
            self._send(Submit(id=number, request=request, owner=owner, **self._growths.open(number, request)))
        except protocol.FrameTooLarge:
            self._close(number)
            raise BodyTooLarge("The request is too large for a model; send less.") from None
        is_over = False
        try:
            while not is_over:
                item = await inbox.get()
                is_over = is_last(item)
                if item.failure:
                    raise from_refusal(item.failure)
                if item.what:
                    yield item.what
        finally:
            self._close(number)
            if not is_over:
                self._send(Cancel(id=number))

    def limit_growth(self, request: Request, growth: Growth) -> None:
        """Limit the answers of `request`, which is submitted next, to what `growth` grants."""
        self._growths.announce(request, growth)

    async def end_thinking(self, request: Request) -> int:
        """End the reasoning in the answers of a running request now; in how many of them it does.

        `request` is the very object that was submitted; 0 for one that has ended.
        """
        number = self._thinking_ends.number_of(request)
        if number is None or self._ended.is_set():
            return 0
        self._send(EndThinking(id=number))
        return await self._thinking_ends.wait(number)

    def _close(self, number: int) -> None:
        self._inboxes.close(number)
        self._thinking_ends.close(number)
        self._growths.close(number)

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        """End the process and wait for it: only then is its memory free."""
        self._is_stopping = True
        async with self._starting:  # never between the spawn and its bookkeeping
            pass
        self._send(Stop())
        await self._child.reap()
        self._end()
        if self._reading:
            await self._reading

    async def _start(self) -> None:
        async with self._starting:
            if self._child.has_started or self._is_stopping:
                return
            tuning = await self._load.tuning(self._tune)
            self._options = msgspec.structs.replace(self._options, by_row=tuning.by_row)
            try:
                reader = await self._child.start(tuning)
            except OSError as error:
                logger.error("Cannot start a worker: %s", error)
                self.end_reason = exit_reason.NOT_STARTED
                self._end()
                return
            self._reading = asyncio.create_task(self._run(reader))

    async def _run(self, reader: asyncio.StreamReader) -> None:
        """Follow the worker from its start to its end.

        1. Handle its frames until its stream ends; a stuck worker is killed, which ends the stream.
        2. Read its exit status.
        3. Fail the load and the requests that still wait for it.
        4. Reap the process.
        """
        watching = asyncio.create_task(self._watch())
        try:
            await self._read(reader)
        finally:
            watching.cancel()
            await self._read_exit_reason()
            self._end()
        await self._child.reap()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Handle the worker's frames until its stream ends."""
        try:
            while frame := await protocol.read_up(reader):
                self._handle(frame)
        except protocol.ProtocolBroken as error:
            logger.error("Worker %s broke the protocol (%s); ending it", self.pid, error)
            self.end_reason, self.death_reason = exit_reason.BROKEN_PROTOCOL, "protocol"

    async def _watch(self) -> None:
        """Kill a worker that is stuck."""
        while True:
            await asyncio.sleep(self._watchdog.tick_s)
            is_busy = len(self._inboxes) > self._growths.paused or self._running > 0
            if not self._watchdog.tick(is_busy=is_busy):
                continue
            requests = max(len(self._inboxes), self._running)
            why = exit_reason.from_silence(self._watchdog.limit_s, requests)
            self.end_reason, self.death_reason = why, "stuck"
            logger.error("Killing worker %s: %s", self.pid, self.end_reason)
            self._child.kill()
            return

    async def _read_exit_reason(self) -> None:
        """Set the end reason from the exit status, unless it is known already."""
        if self.end_reason or self._is_stopping:
            return
        code = await self._child.exit_code()
        self.end_reason, self.death_reason = exit_reason.from_exit_code(code), exit_reason.death_reason(code)
        self._end_kind = exit_reason.load_failure_kind(code)

    def _handle(self, frame: protocol.Up) -> None:
        """Handle one frame; raises ProtocolBroken for another version of the protocol."""
        match frame:
            case Step(happened=happened):
                self._watchdog.note_progress()
                for item in happened:
                    self._inboxes.deliver(item)
            case Heartbeat(memory=memory, steps=steps, running=running):
                self._watchdog.note_heartbeat(steps)
                self.memory, self.steps, self._running = memory, steps, running
                self._report(memory)
            case GrowthWanted():
                self._growths.note(frame)
            case ThinkingEnded(id=number, answers=answers):
                self._thinking_ends.resolve(number, answers)
            case Loading(progress=progress):
                self._watchdog.note_progress()
                self._load.note(progress)
            case Ready(loaded=loaded):
                self.memory = loaded.memory
                self._load.resolve(loaded)
            case LoadFailed(reason=reason, kind=kind):
                self._load.resolve(ModelLoadFailed(reason, kind=kind))
            case Hello(version=version, memory=memory, device_bytes=device_bytes):
                if version != protocol.VERSION:
                    raise protocol.ProtocolBroken(f"protocol version {version}")
                self.memory, self.device_bytes = memory, device_bytes
                self._watchdog.note_started()
                self._is_over_starting.set()

    def _end(self) -> None:
        """Fail the load and the requests that still wait. Idempotent."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._is_over_starting.set()
        self._fail_load()
        self._inboxes.fail_all(self._lost_error().refusal())
        self._child.close_socket()

    def _fail_load(self) -> None:
        self._load.resolve(ModelLoadFailed(f"{self._why_ended}; see the server's log", kind=self._end_kind))

    def _lost_error(self) -> ShuttingDown | WorkerDied:
        if self._is_stopping:
            return ShuttingDown("The server is unloading this model; try again.")
        return WorkerDied(f"The model was interrupted: {self._why_ended}. Try again to start it again.")

    @property
    def _why_ended(self) -> str:
        return self.end_reason or "the server ended it"

    def _send(self, frame: protocol.Down) -> None:
        if not self._ended.is_set():
            self._child.send(frame)
