"""ProcessRunner: a Runner whose model lives in a worker process of its own (inference.worker)."""

import asyncio
import contextlib
import itertools
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Callable

import msgspec

from inference.core import protocol
from inference.core.errors import (
    BodyTooLarge,
    LoadFailure,
    ModelLoadFailed,
    ShuttingDown,
    WorkerDied,
    from_refusal,
)
from inference.core.events import Event, Finished
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory
from inference.core.protocol import (
    Cancel,
    Happened,
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
)
from inference.core.requests import Request
from inference.core.subprocess_environment import of_workers
from inference.pool.workers import exit_reason
from inference.pool.workers.watchdog import Watchdog

logger = logging.getLogger(__name__)
_STOP_GRACE_S = 3.0
_EXIT_GRACE_S = 0.5  # between the end of a worker's stream and its exit status


class ProcessRunner:
    """Spawns, feeds, watches and ends one worker process.

    The socket is the life line in both directions: a worker that reads its end ends itself, and a
    worker that is gone is seen here as the end of the stream.
    """

    def __init__(self, options: Load, *, blas: str = "", stuck_after_s: float = 120.0) -> None:
        self._options = options
        self._blas = blas
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._hello = asyncio.Event()
        self._loaded: asyncio.Future[Loaded] | None = None
        self._on_progress: Callable[[int], None] = lambda percent: None
        self._inboxes: dict[int, asyncio.Queue[Happened]] = {}
        self._ids = itertools.count(1)
        self._ended = asyncio.Event()
        self._is_stopping = False
        self._watchdog = Watchdog(stuck_after_s)
        self._running = 0
        self._report: Callable[[Memory], None] = lambda memory: None
        self.memory = Memory()
        self.steps = 0
        self.device_bytes = 0
        self.end_reason = ""
        self._end_kind: LoadFailure = "died"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def warm_up(self) -> None:
        """Start the process and wait until its imports are done, or until it has ended."""
        await self._start()
        ready = [asyncio.ensure_future(event.wait()) for event in (self._hello, self._ended)]
        try:
            await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in ready:
                waiting.cancel()

    async def load(self, card: ModelCard, on_progress: Callable[[int], None]) -> Loaded:
        """Load the model, reporting percent; raises ModelLoadFailed."""
        self._loaded = asyncio.get_running_loop().create_future()
        self._on_progress = on_progress
        await self._start()
        if self._ended.is_set():
            raise ModelLoadFailed("its process ended before it could load; see the server's log", kind="died")
        self._send(_with_model(self._options, card))
        return await self._loaded

    def shed(self, keep_bytes: int) -> None:
        """Ask it to shrink its prefix cache to `keep_bytes`; the next memory report tells the outcome."""
        self._send(Shed(keep_bytes=keep_bytes))

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        """Call `report` on the loop with every memory report from now on."""
        self._report = report

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        """Run one request: Accepted first, Finished last, or a ServerError; closing it cancels."""
        if self._ended.is_set():
            raise self._loss()
        number, inbox = next(self._ids), asyncio.Queue[Happened]()
        self._inboxes[number] = inbox
        try:
            self._send(Submit(id=number, request=request, owner=owner))
        except protocol.FrameTooLarge:
            del self._inboxes[number]
            raise BodyTooLarge("The request is too large for a model; send less.") from None
        is_over = False
        try:
            while not is_over:
                happened = await inbox.get()
                is_over = happened.failure is not None or isinstance(happened.what, Finished)
                if happened.failure:
                    raise from_refusal(happened.failure)
                if happened.what:
                    yield happened.what
        finally:
            self._inboxes.pop(number, None)
            if not is_over:
                self._send(Cancel(id=number))

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        """End the process and wait for it: only then is its memory back."""
        self._is_stopping = True
        async with self._starting:  # never between the spawn and its bookkeeping
            pass
        self._send(Stop())
        await self._reap()
        self._end()
        if self._reading:
            await self._reading

    async def _start(self) -> None:
        async with self._starting:
            if self._process or self._is_stopping:
                return
            ours, theirs = socket.socketpair()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(
                        sys.executable,
                        "-m",
                        "inference.worker",
                        "--fd",
                        str(theirs.fileno()),
                        "--blas",
                        self._blas,
                    ),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    env=environment(),
                    # Ctrl-C in the terminal is the site's to handle; it ends its workers in order.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                logger.error("Cannot start a worker: %s", error)
                self._end()
                return
            finally:
                theirs.close()
            reader, self._writer = await asyncio.open_connection(sock=ours)
            self._reading = asyncio.create_task(self._live(reader))

    async def _live(self, reader: asyncio.StreamReader) -> None:
        """See the worker through its life: its frames, its watchdog, its end."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._read(reader)
        finally:
            watching.cancel()
            await self._read_exit_reason()
            self._end()
        await self._reap()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take the worker's frames until it is gone."""
        try:
            while frame := await protocol.read_up(reader):
                self._take(frame)
        except protocol.ProtocolBroken as error:
            logger.error("Worker %s sent nonsense (%s); ending it", self.pid, error)
            self.end_reason = "its process sent what the site could not understand"

    async def _watch(self) -> None:
        """Kill a worker that is stuck; the end of its stream then tells everybody."""
        while self._process:
            await asyncio.sleep(self._watchdog.tick_s)
            if not self._watchdog.tick(is_busy=self._is_busy):
                continue
            requests = max(len(self._inboxes), self._running)
            self.end_reason = exit_reason.from_silence(self._watchdog.limit_s, requests)
            logger.error("Killing worker %s: %s", self.pid, self.end_reason)
            self._kill()
            return

    @property
    def _is_busy(self) -> bool:
        return bool(self._inboxes) or self._running > 0

    async def _read_exit_reason(self) -> None:
        """Put the exit status into words, if the process tells it soon after its last frame."""
        if self.end_reason or self._is_stopping or not self._process:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _EXIT_GRACE_S)
        self.end_reason = exit_reason.from_status(self._process.returncode)
        self._end_kind = exit_reason.kind_of(self._process.returncode)

    def _kill(self) -> None:
        # Our own child, not reaped yet: its pid cannot have gone to anybody else.
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _reap(self) -> None:
        """See the process to its end: with its stream over, nothing it still computes can reach anybody."""
        if not self._process:
            return
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_GRACE_S)
        except TimeoutError:
            logger.warning("Worker %s did not end by itself; killing it", self._process.pid)
            self._kill()
            await self._process.wait()

    def _take(self, frame: protocol.Up) -> None:
        match frame:
            case Step(happened=happened):
                self._watchdog.progressed()
                for item in happened:
                    self._hand_over(item)
            case Heartbeat(memory=memory, steps=steps, running=running):
                self._watchdog.beat(steps)
                self.memory, self.steps, self._running = memory, steps, running
                self._report(memory)
            case Loading(percent=percent):
                self._watchdog.progressed()
                self._on_progress(percent)
            case Ready(loaded=loaded):
                self.memory = loaded.memory
                self._settle(loaded)
            case LoadFailed(reason=reason, kind=kind):
                self._settle(ModelLoadFailed(reason, kind=kind))
            case Hello(version=version, memory=memory, device_bytes=device_bytes):
                if version != protocol.VERSION:
                    raise protocol.ProtocolBroken(f"protocol version {version}")
                self.memory, self.device_bytes = memory, device_bytes
                self._watchdog.greeted()
                self._hello.set()

    def _hand_over(self, item: Happened) -> None:
        # A last item leaves the table at once: what a slow reader has yet to read keeps no worker busy.
        is_last = item.failure is not None or isinstance(item.what, Finished)
        inbox = self._inboxes.pop(item.id, None) if is_last else self._inboxes.get(item.id)
        if inbox:  # absent when the request was cancelled while this was on its way
            inbox.put_nowait(item)

    def _settle(self, result: Loaded | ModelLoadFailed) -> None:
        if not self._loaded or self._loaded.done():
            return
        if isinstance(result, Loaded):
            self._loaded.set_result(result)
        else:
            self._loaded.set_exception(result)

    def _end(self) -> None:
        """Tell everybody who still waits that the worker is gone. Idempotent."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._settle(ModelLoadFailed(f"{self._why}; see the server's log", kind=self._end_kind))
        for number, inbox in self._inboxes.items():
            inbox.put_nowait(Happened(id=number, failure=self._loss().refusal()))
        if self._writer:
            self._writer.close()

    def _loss(self) -> ShuttingDown | WorkerDied:
        if self._is_stopping:
            return ShuttingDown("The server is ending this model; ask again.")
        return WorkerDied(f"The model was interrupted: {self._why}. Ask again and it is started anew.")

    @property
    def _why(self) -> str:
        return self.end_reason or "the server ended it"

    def _send(self, frame: protocol.Down) -> None:
        if self._writer and not self._ended.is_set():
            self._writer.write(protocol.encode(frame))


def _with_model(options: Load, card: ModelCard) -> Load:
    limits = [limit for limit in (options.context_limit, card.context_cap) if limit]
    return msgspec.structs.replace(
        options,
        model=card.id,
        path=card.path,
        adapter=card.adapter,
        context_limit=min(limits, default=None),
    )


def environment() -> dict[str, str]:
    """A worker's environment: what it needs of ours, none of our secrets, and never a look at the network."""
    return of_workers()
