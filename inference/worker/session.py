"""The worker's connection to its site, and the threads behind it.

IO loop        reads and writes frames, sends a heartbeat every second, ends the process with its site
prompt thread  renders templates and tokenizes; refuses what the loaded model cannot compute
engine thread  loads, steps and frees the model
text thread    turns tokens into text, stop strings and channels: one Step frame per engine step
"""

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from inference.core import garbage, protocol
from inference.core.blas import Blas
from inference.core.pool_state import Loaded
from inference.core.protocol import (
    Cancel,
    CutShort,
    DropLoras,
    EndThinking,
    Grant,
    Heartbeat,
    Hello,
    Load,
    LoadFailed,
    Loading,
    Pause,
    Ready,
    Shed,
    Stop,
    Submit,
    ThinkingEnded,
)
from inference.worker.blas_threads import BlasThreads
from inference.worker.engine.callbacks import EngineCallbacks
from inference.worker.engine.commands import Quit
from inference.worker.engine.engine import Engine
from inference.worker.engine.rounds import Rounds
from inference.worker.rendering import template_renderer

if TYPE_CHECKING:
    from inference.worker.model.loaded_model import LoadedModel
    from inference.worker.open_requests import OpenRequests

logger = logging.getLogger(__name__)
_HEARTBEAT_S = 1.0
_SHUTDOWN_S = 2.5  # for writing prefixes to disk


class Session:
    """Dispatches the site's frames to the threads and sends the site theirs."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        blas: Blas,
        threads: BlasThreads | None = None,
        rounds: Rounds | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._blas = blas
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._is_imported = asyncio.Event()
        self._options: Load | None = None
        self._requests: OpenRequests | None = None
        self._engine = Engine(
            EngineCallbacks(
                on_imported=self._on_imported,
                on_loading=lambda progress: self.send(Loading(progress=progress)),
                on_loaded=self._on_loaded,
                on_load_failed=self._on_load_failed,
                on_outputs=lambda outputs: self._open_requests().deliver(outputs),
                on_lost=lambda ids: self._open_requests().fail(ids),
                on_memory=self._send_heartbeat,
                on_growth_wanted=self.send,
                on_thinking_ended=lambda request, answers: self.send(
                    ThinkingEnded(id=request, answers=answers)
                ),
            ),
            rounds=rounds,
        )

    async def run(self) -> None:
        """Serve until the site sends Stop or closes the socket; an invalid frame raises ProtocolBroken."""
        template_renderer.shared().start()  # it imports what it needs while the engine does
        self._engine.start()
        heartbeat = asyncio.create_task(self._send_heartbeats())
        while (frame := await protocol.read_down(self._reader)) and not isinstance(frame, Stop):
            self._handle(frame)
        heartbeat.cancel()
        self._engine.post(Quit())
        if self._options and self._options.prefix_disk_bytes:
            await asyncio.to_thread(self._engine.join, _SHUTDOWN_S)

    def send(self, frame: protocol.Up) -> None:
        """Write a frame; may be called on any thread."""
        self._loop.call_soon_threadsafe(self._writer.write, protocol.encode(frame))

    def _handle(self, frame: protocol.Down) -> None:
        match frame:
            case Load():
                self._options = frame
                self._engine.post(frame)
            case Shed() | Grant() | Pause():
                self._engine.post(frame)
            case DropLoras(names=names):
                self._open_requests().drop_loras(names)
            case Submit():
                self._open_requests().prepare(frame)
            case Cancel(id=number):
                self._open_requests().cancel(number)
            case CutShort(id=number):
                self._open_requests().cut_short(number)
            case EndThinking(id=number):
                self._open_requests().end_thinking(number)

    async def _send_heartbeats(self) -> None:
        """Send Hello once the imports are done, then a heartbeat with the memory figures every second."""
        with garbage.paused():  # MLX and transformers, a tenth faster
            await self._is_imported.wait()
        from inference.worker import memory

        self.send(
            Hello(
                version=protocol.VERSION,
                pid=os.getpid(),
                memory=memory.figures(),
                device_bytes=memory.device_bytes(),
            )
        )
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            self._send_heartbeat()
            if self._threads:
                self._threads.adjust()
            self._end_if_stuck()

    def _send_heartbeat(self) -> None:
        from inference.worker import memory

        engine = self._engine
        figures = memory.figures(kv=engine.kv_bytes, prefix_cache=engine.prefix_bytes)
        self.send(Heartbeat(memory=figures, running=engine.running, steps=engine.steps))

    def _end_if_stuck(self) -> None:
        """End the process if a prompt takes too long, such as in a tokenizer: threads cannot be stopped."""
        if self._requests and self._options and self._requests.preparation.is_over:
            logger.critical("Preparing a prompt took over %.0f s: ending", self._options.prepare_limit_s)
            os._exit(75)

    def _on_imported(self) -> None:
        self._loop.call_soon_threadsafe(self._is_imported.set)

    def _on_loaded(self, model: "LoadedModel") -> None:
        from inference.worker import memory
        from inference.worker.open_requests import OpenRequests

        if not self._options:
            raise RuntimeError("a model was loaded without a Load frame")
        self._requests = OpenRequests(model, self._options, self._engine.post, self.send)
        garbage.freeze()
        loaded = Loaded(
            seconds=model.seconds,
            memory=memory.figures(),
            context_length=model.context_length,
            vocab_size=model.vocab_size,
            device=model.device,
            kv_bytes_per_token=model.kv_bytes_per_token,
            draft_model=model.draft_name,
            kv_bits=model.kv_bits,
            blas=self._blas.name if model.device == "cpu" else "",
            adapter=model.adapter.name,
            sees=model.vision is not None,
            findings=model.findings,
            stop_tokens=tuple(sorted(model.tokenizer.token_text(i) for i in model.stop_ids)),
        )
        self.send(Ready(loaded=loaded))

    def _on_load_failed(self, error: Exception) -> None:
        from inference.worker.model.load_failure import failure_kind, failure_reason

        self.send(LoadFailed(reason=failure_reason(error), kind=failure_kind(error)))

    def _open_requests(self) -> "OpenRequests":
        if not self._requests:
            raise protocol.ProtocolBroken("a request before the model was loaded")
        return self._requests
