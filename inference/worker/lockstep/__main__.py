"""A rank behind rank 0: `python -m inference.worker.lockstep`, with its place in MLX_RANK.

Rounds of rank 0 come from standard input, frames for the pool go to standard output, and lines for the log to
standard error. On another machine ssh carries all three. It ends when rank 0 or the pool does.
"""

import argparse
import os
import threading
import time

from inference.core import blas, garbage, protocol
from inference.core.pool_state import Loaded
from inference.core.protocol import Heartbeat, Hello, LoadFailed, Loading, Ready
from inference.worker import memory, process_log
from inference.worker.engine.callbacks import EngineCallbacks
from inference.worker.engine.engine import Engine
from inference.worker.lockstep import frames
from inference.worker.lockstep.following import FollowingRounds, RanksDisagree
from inference.worker.model.load_failure import failure_kind, failure_reason
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.product_check import multiplies

_HEARTBEAT_S = 1.0
_DISAGREED = 77


class Follower:
    """The engine of one rank, and its reports to the pool through the descriptor `out`."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._writing = threading.Lock()
        self._rounds = FollowingRounds()
        self._engine = Engine(
            EngineCallbacks(
                on_imported=self._on_imported,
                on_loading=lambda progress: self._send(Loading(progress=progress)),
                on_loaded=self._on_loaded,
                on_load_failed=self._on_load_failed,
                on_outputs=lambda outputs: None,
                on_lost=lambda ids: None,
                on_memory=lambda: None,
            ),
            rounds=self._rounds,
        )

    def run(self, rounds: int) -> None:
        """Carry out the rounds that come from the descriptor `rounds`, until its end."""
        self._engine.start()
        threading.Thread(target=self._send_heartbeats, name="heartbeat", daemon=True).start()
        while frame := frames.read(rounds):
            self._rounds.put(frame)

    def _send(self, frame: protocol.Up) -> None:
        data = memoryview(protocol.encode(frame))
        with self._writing:
            while data:
                data = data[os.write(self._out, data) :]

    def _send_heartbeats(self) -> None:
        while True:
            time.sleep(_HEARTBEAT_S)
            engine = self._engine
            figures = memory.figures(kv=engine.kv_bytes, prefix_cache=engine.prefix_bytes)
            self._send(Heartbeat(memory=figures, running=engine.running, steps=engine.steps))

    def _on_imported(self) -> None:
        hello = Hello(
            version=protocol.VERSION,
            pid=os.getpid(),
            memory=memory.figures(),
            device_bytes=memory.device_bytes(),
        )
        self._send(hello)

    def _on_loaded(self, model: LoadedModel) -> None:
        garbage.freeze()
        loaded = Loaded(
            seconds=model.seconds,
            memory=memory.figures(),
            context_length=model.context_length,
            vocab_size=model.vocab_size,
            device=model.device,
            kv_bytes_per_token=model.kv_bytes_per_token,
        )
        self._send(Ready(loaded=loaded))

    def _on_load_failed(self, error: Exception) -> None:
        self._send(LoadFailed(reason=failure_reason(error), kind=failure_kind(error)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.lockstep")
    parser.add_argument("--blas", default="", help="the BLAS library to multiply with on a CPU")
    options = parser.parse_args()
    process_log.begin({RanksDisagree: _DISAGREED})
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not be taken for a frame
    blas.preload_best(options.blas, multiplies)
    Follower(out).run(0)
    # The engine may wait for the others in the middle of a step; without rank 0 there is nothing to wait for.
    os._exit(0)


if __name__ == "__main__":
    main()
