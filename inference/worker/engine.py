"""The engine: the one thread that loads, steps and frees the model.

MLX arrays belong to the thread that made them until they are evaluated
(https://github.com/ml-explore/mlx/issues/3348), so nothing else in the worker touches them.
"""

import gc
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.protocol import Load

if TYPE_CHECKING:
    from inference.worker.batch import Batch, Output, Sequence
    from inference.worker.loading import LoadedModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Add:
    sequence: "Sequence"


@dataclass(frozen=True)
class Remove:
    id: int


class Quit:
    """End the thread."""


Command = Load | Add | Remove | Quit


@dataclass(frozen=True)
class Sink:
    """Where the engine's results go; each is called on the engine's thread and must not block."""

    on_imported: Callable[[], None]
    on_loading: Callable[[int], None]
    on_loaded: Callable[["LoadedModel"], None]
    on_load_failed: Callable[[Exception], None]
    on_outputs: Callable[[list["Output"]], None]
    on_lost: Callable[[list[int]], None]  # these sequences cannot go on


class Engine(threading.Thread):
    """Takes commands between steps and publishes what each step brought."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(name="engine", daemon=True)
        self._sink = sink
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._batch: Batch | None = None
        self._loaded: LoadedModel | None = None
        self._options: Load | None = None
        self._is_running = True
        self.steps = 0

    @property
    def running(self) -> int:
        return len(self._batch.ids) if self._batch else 0

    def post(self, command: Command) -> None:
        """Hand over a command, from any thread."""
        self._commands.put(command)

    def run(self) -> None:
        self._import()
        while self._is_running:
            for command in self._due():
                self._obey(command)
            if self._batch and self._batch.is_busy:
                self._step(self._batch)

    def _import(self) -> None:
        # Seconds of imports, done before the model is known: this is what a spare worker is for.
        import mlx_lm.utils  # noqa: F401

        import inference.worker.batch
        import inference.worker.loading  # noqa: F401

        self._sink.on_imported()

    def _due(self) -> list[Command]:
        """Every command posted so far; waits for one only when there is nothing to step."""
        is_idle = not (self._batch and self._batch.is_busy)
        commands = [self._commands.get()] if is_idle else []
        while not self._commands.empty():
            commands.append(self._commands.get())
        return commands

    def _obey(self, command: Command) -> None:
        match command:
            case Load():
                self._load(command)
            case Add(sequence=sequence) if self._batch:
                self._add(self._batch, sequence)
            case Remove(id=sequence_id) if self._batch:
                self._batch.remove(sequence_id)
            case Quit():
                self._is_running = False

    def _load(self, options: Load) -> None:
        from inference.worker.loading import load

        try:
            self._loaded = load(options, self._sink.on_loading)
        except Exception as error:  # whatever is wrong with a model's files, the site is told
            logger.exception("Cannot load %s", options.model)
            self._sink.on_load_failed(error)
            return
        self._options = options
        self._batch = self._new_batch()
        self._sink.on_loaded(self._loaded)

    def _new_batch(self) -> "Batch":
        from inference.worker.batch import Batch

        if not (self._loaded and self._options):
            raise RuntimeError("a batch before the model is loaded")
        return Batch(
            self._loaded.model, max_batch=self._options.max_batch, prefill_step=self._options.prefill_step
        )

    def _add(self, batch: "Batch", sequence: "Sequence") -> None:
        try:
            batch.add(sequence)
        except Exception:  # what is wrong with one sequence ends that sequence only
            logger.exception("Cannot add sequence %d", sequence.id)
            self._sink.on_lost([sequence.id])

    def _step(self, batch: "Batch") -> None:
        try:
            outputs = batch.step()
        except Exception:  # the step is shared: its sequences are lost, the engine and the model are not
            logger.exception("A step failed; %d sequences are lost", len(batch.ids))
            self._batch = self._new_batch()
            self._sink.on_lost(batch.ids)
            gc.collect()
            return
        self.steps += 1
        self._sink.on_outputs(outputs)
