"""The engine: the one thread that loads, steps and frees the model.

MLX arrays belong to the thread that made them until they are evaluated
(https://github.com/ml-explore/mlx/issues/3348), so nothing else in the worker touches them.
"""

import gc
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.core.model_card import Finding
from inference.core.protocol import Load, Shed
from inference.worker.embedding.inputs import Inputs
from inference.worker.model.low_priority import run_at_low_priority

if TYPE_CHECKING:
    from inference.worker.engine.recovery import ResilientBatch, Steppable
    from inference.worker.engine.sequence import Output, Sequence
    from inference.worker.model.loading import LoadedModel
    from inference.worker.prefix_cache.cache import PrefixCache
    from inference.worker.prefix_cache.entry import PrefixEntry

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Add:
    """Sequences of one prompt, which is prefilled once; or what an embedding model is given."""

    sequences: "tuple[Sequence, ...] | tuple[Inputs]"


@dataclass(frozen=True)
class Remove:
    id: int


@dataclass(frozen=True)
class Restored:
    """What the disk had of the prompt of these sequences, None if it could not be read."""

    sequences: "tuple[Sequence, ...]"
    entry: "PrefixEntry | None"


class Quit:
    """End the thread."""


LoadModel = Callable[[Load, Callable[[int], None]], "LoadedModel"]
Command = Load | Add | Remove | Restored | Shed | Quit
_STEPS_BETWEEN_REPORTS = 64
_SAVE_AFTER_S = 3.0  # of idleness: a chat that goes on would be saved again a moment later
_FLUSH_S = 2.0  # the site waits this long and a little more for a worker to end


@dataclass(frozen=True)
class EngineCallbacks:
    """Where the engine's results go; each is called on the engine's thread and must not block."""

    on_imported: Callable[[], None]
    on_loading: Callable[[int], None]
    on_loaded: Callable[["LoadedModel"], None]
    on_load_failed: Callable[[Exception], None]
    on_outputs: Callable[[list["Output"]], None]
    on_lost: Callable[[list[int]], None]  # these sequences cannot go on
    on_memory: Callable[[], None]  # the KV and prefix figures have changed


class Engine(threading.Thread):
    """Takes commands between steps and publishes what each step brought.

    `steps`, `running`, `kv_bytes` and `prefix_bytes` may be read on any thread.
    """

    def __init__(self, callbacks: EngineCallbacks, load: "LoadModel | None" = None) -> None:
        super().__init__(name="engine", daemon=True)
        self._callbacks = callbacks
        self._load_model = load
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._batch: ResilientBatch | None = None
        self._prefix_cache: PrefixCache | None = None
        self._restoring: dict[int, Sequence] = {}  # those that wait for the disk
        self._is_running = True
        self.steps = 0
        self.running = 0
        self.kv_bytes = 0
        self.prefix_bytes = 0

    def post(self, command: Command) -> None:
        """Hand over a command, from any thread."""
        self._commands.put(command)

    def run(self) -> None:
        self._import()
        while self._is_running:
            for command in self._next_commands():
                self._handle(command)
            if self._batch and self._batch.is_busy:
                self._step(self._batch)
            self._update_running()

    def _import(self) -> None:
        # Seconds of imports, done before the model is known: this is what a spare worker is for.
        from inference.worker.model import file_descriptors

        file_descriptors.keep_hard_limit()
        import inference.worker.engine.recovery  # noqa: F401
        from inference.worker.engine.decode_step import Decode
        from inference.worker.model import mlx_lm_patches

        mlx_lm_patches.patch_models()
        mlx_lm_patches.install_decode_step(Decode)

        self._callbacks.on_imported()

    def _next_commands(self) -> list[Command]:
        """Every command posted so far; waits for one only when there is nothing to step."""
        is_idle = not (self._batch and self._batch.is_busy)
        commands = [self._wait_for_command()] if is_idle else []
        while not self._commands.empty():
            commands.append(self._commands.get())
        return commands

    def _wait_for_command(self) -> Command:
        """The next command; prefixes are written to disk while there is none."""
        while self._prefix_cache and self._prefix_cache.unsaved:
            try:
                return self._commands.get(timeout=_SAVE_AFTER_S)
            except queue.Empty:
                self._save_prefix(self._prefix_cache)
        return self._commands.get()

    def _save_prefix(self, prefix_cache: "PrefixCache") -> None:
        if prefix_cache.disk and (entry := prefix_cache.unsaved):
            prefix_cache.disk.submit_write(entry)

    def _handle(self, command: Command) -> None:
        match command:
            case Load():
                self._load(command)
            case Add(sequences=sequences) if self._batch:
                self._add(self._batch, sequences)
            case Restored() if self._batch:
                self._add_restored(self._batch, command)
            case Remove(id=sequence_id) if self._batch:
                self._restoring.pop(sequence_id, None)
                self._batch.remove(sequence_id)
                self._update_memory()
            case Shed(keep_bytes=keep) if self._prefix_cache:
                self._prefix_cache.shed(keep)
                self._update_memory()
                self._callbacks.on_memory()
            case Quit():
                self._is_running = False
                self._flush_prefixes()

    def _load(self, options: Load) -> None:
        from inference.worker.engine.recovery import ResilientBatch
        from inference.worker.model.loading import load

        try:
            loading = self._load_model or load
            loaded = run_at_low_priority(lambda: loading(options, self._callbacks.on_loading))
            self._prefix_cache, findings = _new_prefix_cache(options, loaded)
            self._batch = ResilientBatch(lambda: self._new_batch(loaded, options), self._release_memory)
            self._callbacks.on_loaded(replace(loaded, findings=(*loaded.findings, *findings)))
        except Exception as error:  # whatever is wrong with a model's files, the site is told
            logger.exception("Cannot load %s", options.model)
            self._callbacks.on_load_failed(error)

    def _new_batch(self, loaded: "LoadedModel", options: Load) -> "Steppable":
        from inference.worker.embedding.batch import EmbeddingBatch
        from inference.worker.engine.batch import Batch

        if loaded.pooling:
            return EmbeddingBatch(loaded.encoder, loaded.pooling, step=options.prefill_step)
        return Batch(
            loaded.model,
            max_batch=options.max_batch,
            prefill_step=options.prefill_step,
            prefix_cache=self._prefix_cache,
            has_exact_seeds=options.has_exact_seeds,
            support=loaded.support,
        )

    def _release_memory(self) -> None:
        """Give memory back after a failed step, which may have failed for the lack of it."""
        import mlx.core as mx

        if self._prefix_cache:
            self._prefix_cache.shed(0)
        gc.collect()
        mx.clear_cache()

    def _add(self, batch: "ResilientBatch", sequences: "tuple[Sequence, ...] | tuple[Inputs]") -> None:
        """Begin sequences; those whose prompt the disk knows more of wait until it has been read."""
        prefix_cache, prompts = self._prefix_cache, [one for one in sequences if not isinstance(one, Inputs)]
        saved = (
            prefix_cache.find_on_disk(prompts[0].owner, prompts[0].known)
            if prefix_cache and prompts
            else None
        )
        if not (saved and prefix_cache and prefix_cache.disk):
            batch.add(*sequences)
            return
        self._restoring |= {one.id: one for one in prompts}
        group = tuple(prompts)
        prefix_cache.disk.submit_read(saved, lambda entry: self.post(Restored(group, entry)))

    def _add_restored(self, batch: "ResilientBatch", restored: Restored) -> None:
        """Begin the sequences that waited for the disk and have not left meanwhile."""
        group = [one for one in restored.sequences if self._restoring.pop(one.id, None)]
        if self._prefix_cache and restored.entry:
            self._prefix_cache.restore(restored.entry)
        if group:
            batch.add(*group)
        if self._prefix_cache:
            self._prefix_cache.shed(self._prefix_cache.limit)
            self._update_memory()

    def _step(self, batch: "ResilientBatch") -> None:
        from inference.worker.engine.sequence import Lost

        outputs: list[Output] = []
        lost: list[int] = []
        for output in batch.step():
            if isinstance(output, Lost):
                lost.append(output.id)
            else:
                outputs.append(output)
        self.steps += 1
        self._callbacks.on_outputs(outputs)
        if lost:
            self._callbacks.on_lost(lost)
        if self.steps % _STEPS_BETWEEN_REPORTS == 0 or any(getattr(o, "finish", None) for o in outputs):
            self._update_memory()

    def _flush_prefixes(self) -> None:
        disk = self._prefix_cache.disk if self._prefix_cache else None
        while disk and self._prefix_cache and (entry := self._prefix_cache.unsaved):
            disk.submit_write(entry)
        if disk:
            disk.wait(_FLUSH_S)

    def _update_memory(self) -> None:
        """Bring the figures up to date, and tell them once the prefix cache has changed."""
        before = self.prefix_bytes
        self.kv_bytes = self._batch.kv_bytes if self._batch else 0
        self.prefix_bytes = self._prefix_cache.bytes if self._prefix_cache else 0
        if self.prefix_bytes != before:
            self._callbacks.on_memory()

    def _update_running(self) -> None:
        self.running = len(self._restoring) + (len(self._batch.ids) if self._batch else 0)


def _new_prefix_cache(options: Load, loaded: "LoadedModel") -> "tuple[PrefixCache, tuple[Finding, ...]]":
    """The model's prefix cache, and what its owner should know of it."""
    from inference.worker.prefix_cache.cache import PrefixCache
    from inference.worker.prefix_cache.disk import DiskTier, folder_for

    limit = options.prefix_cache_bytes if loaded.support.can_reuse_prefixes else 0
    can_trim = loaded.support.can_trim_prefixes
    if not (options.prefix_disk_bytes and loaded.support.can_reuse_prefixes):
        return PrefixCache(limit, can_trim=can_trim), ()
    try:
        folder = folder_for(Path(options.prefix_disk_path), Path(options.path), loaded.device)
        return PrefixCache(limit, DiskTier(folder, options.prefix_disk_bytes), can_trim), ()
    except OSError as error:
        logger.warning("No prefixes are kept on disk: %s", error)
        text = f"Its prefixes are not kept on disk: {error.strerror or 'their folder cannot be used'}."
        return PrefixCache(limit, can_trim=can_trim), (Finding(light="amber", about="prefixes", text=text),)
