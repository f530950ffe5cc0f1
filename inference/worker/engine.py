"""The engine: the one thread that loads, steps and frees the model.

MLX arrays belong to the thread that made them until they are evaluated
(https://github.com/ml-explore/mlx/issues/3348), so nothing else in the worker touches them.
"""

import gc
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from inference.protocol import Load, Shed
from inference.worker.priority import giving_way

if TYPE_CHECKING:
    from inference.worker.batch import Output, Sequence
    from inference.worker.inputs import Inputs
    from inference.worker.loading import LoadedModel
    from inference.worker.prefixes import Prefixes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Add:
    """Sequences of one prompt, which is prefilled once; or what an embedding model is given."""

    sequences: "tuple[Sequence, ...] | tuple[Inputs]"


@dataclass(frozen=True)
class Remove:
    id: int


class Quit:
    """End the thread."""


class Batched(Protocol):
    """What is stepped: a Batch of sequences, or the Embeddings of an embedding model."""

    @property
    def is_busy(self) -> bool: ...

    @property
    def ids(self) -> list[int]: ...

    @property
    def kv_bytes(self) -> int: ...

    @property
    def unfinished(self) -> "Iterable[Any]": ...

    @property
    def add(self) -> Callable[..., None]: ...

    def remove(self, number: int, /) -> None: ...

    def step(self) -> "Iterator[Output]": ...


LoadModel = Callable[[Load, Callable[[int], None]], "LoadedModel"]
Command = Load | Add | Remove | Shed | Quit
_STEPS_BETWEEN_FAILURES = 16
_STEPS_BETWEEN_REPORTS = 64
_SAVE_AFTER_S = 3.0  # of idleness: a chat that goes on would be saved again a moment later
_LAST_SAVES_S = 2.0  # the site waits this long and a little more for a worker to end


@dataclass(frozen=True)
class Sink:
    """Where the engine's results go; each is called on the engine's thread and must not block."""

    on_imported: Callable[[], None]
    on_loading: Callable[[int], None]
    on_loaded: Callable[["LoadedModel"], None]
    on_load_failed: Callable[[Exception], None]
    on_outputs: Callable[[list["Output"]], None]
    on_lost: Callable[[list[int]], None]  # these sequences cannot go on
    on_memory: Callable[[], None]  # the KV and prefix figures have changed


class Engine(threading.Thread):
    """Takes commands between steps and publishes what each step brought."""

    def __init__(self, sink: Sink, load: "LoadModel | None" = None) -> None:
        super().__init__(name="engine", daemon=True)
        self._sink = sink
        self._load_model = load
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._batch: Batched | None = None
        self._loaded: LoadedModel | None = None
        self._options: Load | None = None
        self._prefixes: Prefixes | None = None
        self._is_running = True
        self._failed_at = -_STEPS_BETWEEN_FAILURES
        self.steps = 0
        self.kv_bytes = 0
        self.prefix_bytes = 0

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
        commands = [self._wait()] if is_idle else []
        while not self._commands.empty():
            commands.append(self._commands.get())
        return commands

    def _wait(self) -> Command:
        """The next command; prefixes are written to disk while there is none."""
        while self._prefixes and self._prefixes.unsaved:
            try:
                return self._commands.get(timeout=_SAVE_AFTER_S)
            except queue.Empty:
                self._save(self._prefixes)
        return self._commands.get()

    def _save(self, prefixes: "Prefixes") -> None:
        if prefixes.spill and (entry := prefixes.unsaved):
            prefixes.spill.write(entry)

    def _save_the_rest(self) -> None:
        deadline = time.monotonic() + _LAST_SAVES_S
        while self._prefixes and self._prefixes.unsaved and time.monotonic() < deadline:
            self._save(self._prefixes)

    def _obey(self, command: Command) -> None:
        match command:
            case Load():
                self._load(command)
            case Add(sequences=sequences) if self._batch:
                self._add(self._batch, sequences)
            case Remove(id=sequence_id) if self._batch:
                self._batch.remove(sequence_id)
                self._measure()
            case Shed(keep_bytes=keep) if self._prefixes:
                self._prefixes.shed(keep)
                self._measure()
                self._sink.on_memory()
            case Quit():
                self._is_running = False
                self._save_the_rest()

    def _load(self, options: Load) -> None:
        from inference.worker.loading import load

        try:
            loading = self._load_model or load
            self._loaded = giving_way(lambda: loading(options, self._sink.on_loading))
        except Exception as error:  # whatever is wrong with a model's files, the site is told
            logger.exception("Cannot load %s", options.model)
            self._sink.on_load_failed(error)
            return
        self._options = options
        self._prefixes = self._new_prefixes(options, self._loaded.device)
        self._batch = self._new_batch()
        self._sink.on_loaded(self._loaded)

    def _new_prefixes(self, options: Load, device: str) -> "Prefixes":
        from inference.worker.prefixes import Prefixes
        from inference.worker.spill import Spill, folder_for

        if not options.prefix_disk_bytes:
            return Prefixes(options.prefix_cache_bytes)
        folder = folder_for(Path(options.prefix_disk_path), Path(options.path), device)
        return Prefixes(options.prefix_cache_bytes, Spill(folder, options.prefix_disk_bytes))

    def _new_batch(self) -> Batched:
        from inference.worker.batch import Batch
        from inference.worker.embedding import Embeddings

        if not (self._loaded and self._options):
            raise RuntimeError("a batch before the model is loaded")
        if self._loaded.pooling:
            return Embeddings(self._loaded.encoder, self._loaded.pooling, step=self._options.prefill_step)
        return Batch(
            self._loaded.model,
            max_batch=self._options.max_batch,
            prefill_step=self._options.prefill_step,
            prefixes=self._prefixes,
            has_exact_seeds=self._options.has_exact_seeds,
        )

    def _add(self, batch: Batched, sequences: "tuple[Sequence | Inputs, ...]") -> None:
        try:
            batch.add(*sequences)
        except Exception:  # what is wrong with one request ends that request only
            logger.exception("Cannot add sequence %d", sequences[0].id)
            self._sink.on_lost([sequence.id for sequence in sequences])

    def _step(self, batch: Batched) -> None:
        outputs: list[Output] = []
        try:
            for output in batch.step():
                outputs.append(output)
        except Exception:  # whichever sequence broke the step all share, only that one may suffer
            logger.exception("A step failed with %d sequences", len(batch.ids))
            self._sink.on_outputs(outputs)
            self._recover(list(batch.unfinished))
            return
        self.steps += 1
        self._sink.on_outputs(outputs)
        if self.steps % _STEPS_BETWEEN_REPORTS == 0 or any(getattr(o, "finish", None) for o in outputs):
            self._measure()

    def _recover(self, sequences: "list[Sequence | Inputs]") -> None:
        """Compute the sequences of a failed step again, each by itself first; who fails alone is lost."""
        self._batch = self._new_batch()
        if self._prefixes:
            self._prefixes.shed(0)  # one of them may be what broke the step
        gc.collect()
        if self.steps - self._failed_at < _STEPS_BETWEEN_FAILURES:
            # Each went well alone and together they did not: there is no room for all of them.
            self._lose(sequences[len(sequences) // 2 :])
            sequences = sequences[: len(sequences) // 2]
        self._failed_at = self.steps
        broken = [sequence for sequence in sequences if not self._goes_well(sequence)]
        self._lose(broken)
        for sequence in sequences:
            if sequence not in broken:
                self._add(self._batch, (sequence,))

    def _goes_well(self, sequence: "Sequence | Inputs") -> bool:
        trial = self._new_batch()
        try:
            trial.add(sequence)
            while trial.is_busy and not any(hasattr(output, "token") for output in trial.step()):
                self.steps += 1
            trial.remove(sequence.id)  # what it computed is found in the prefix cache when it is added again
        except Exception:
            logger.exception("Sequence %d fails by itself", sequence.id)
            return False
        return True

    def _lose(self, sequences: "list[Sequence | Inputs]") -> None:
        if sequences:
            self._sink.on_lost([sequence.id for sequence in sequences])

    def _measure(self) -> None:
        """Bring the figures up to date, and tell them once the prefix cache has changed."""
        before = self.prefix_bytes
        self.kv_bytes = self._batch.kv_bytes if self._batch else 0
        self.prefix_bytes = self._prefixes.bytes if self._prefixes else 0
        if self.prefix_bytes != before:
            self._sink.on_memory()
