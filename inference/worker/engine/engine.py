"""The engine: the one thread that loads, steps and frees the model.

Each round of its loop has three steps:

1. Handle every command that was posted meanwhile: load, add, remove, shed memory, quit. With nothing to
   compute, wait for one; prefixes are written to disk while none comes.
2. Step the batch: one token for each sequence that decodes, and a chunk of prefill for those that do not
   (batch.py). A step that fails is recovered from (recovery.py).
3. Publish the outputs through the callbacks, and the memory figures from time to time.

MLX arrays belong to the thread that made them until they are evaluated
(https://github.com/ml-explore/mlx/issues/3348), so nothing else in the worker touches them.
"""

import gc
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.core.load_progress import OnLoadProgress
from inference.core.protocol import Grant, Load, Pause, Shed
from inference.worker.embedding.inputs import Inputs
from inference.worker.engine.callbacks import EngineCallbacks
from inference.worker.engine.commands import (
    Add,
    Command,
    EndSequenceThinking,
    InstallLora,
    Limit,
    Quit,
    Remove,
    RemoveLoras,
    Restored,
)
from inference.worker.engine.rounds import OwnRounds, Rounds
from inference.worker.model.low_priority import run_at_low_priority

if TYPE_CHECKING:
    from inference.worker.engine.rounds import EngineBatch
    from inference.worker.engine.sequence import Sequence
    from inference.worker.engine.token_grants import TokenGrants
    from inference.worker.lora.store import LoraStore
    from inference.worker.model.loaded_model import LoadedModel
    from inference.worker.prefix_cache.cache import PrefixCache

logger = logging.getLogger(__name__)
LoadModel = Callable[[Load, OnLoadProgress], "LoadedModel"]
_STEPS_BETWEEN_REPORTS = 64
_SAVE_AFTER_S = 3.0  # of idleness: a chat that continues would be saved again a moment later
_FLUSH_S = 2.0  # the site waits this long and a little more for a worker to end


class Engine(threading.Thread):
    """Handles commands between steps and publishes each step's outputs; see the steps above.

    `steps`, `running` (sequences), `kv_bytes` and `prefix_bytes` may be read on any thread.
    """

    def __init__(
        self, callbacks: EngineCallbacks, load: "LoadModel | None" = None, rounds: Rounds | None = None
    ) -> None:
        super().__init__(name="engine", daemon=True)
        self._callbacks = callbacks
        self._load_model = load
        self._rounds = rounds or OwnRounds()
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._batch: EngineBatch | None = None
        self._grants: TokenGrants | None = None
        self._prefix_cache: PrefixCache | None = None
        self._loras: LoraStore | None = None
        self._restoring: dict[int, Sequence] = {}  # they wait for a prefix from the disk
        self._is_running = True
        self.steps = 0
        self.running = 0
        self.kv_bytes = 0
        self.prefix_bytes = 0

    def post(self, command: Command) -> None:
        """Hand over a command; may be called on any thread."""
        self._commands.put(command)

    def run(self) -> None:
        self._import()
        while self._is_running:
            for command in self._rounds.next(self._next_commands):
                self._handle(command)
            if self._batch and self._batch.is_busy:
                self._step(self._batch)
            self._update_running()

    def _import(self) -> None:
        # Seconds of imports, done before the model is known: they are why there is a spare worker.
        from inference.worker.model import file_descriptors

        file_descriptors.keep_hard_limit()
        import inference.worker.engine.model_batch  # noqa: F401
        from inference.worker.engine.speculative_decode import SpeculativeDecode
        from inference.worker.model import mlx_lm_patches

        mlx_lm_patches.patch_models()
        mlx_lm_patches.install_decode_step(SpeculativeDecode)

        self._callbacks.on_imported()

    def _next_commands(self) -> list[Command]:
        """Every command posted so far; waits for one only if there is nothing to step.

        Sheds come last: a new sequence finds its prefix before it is dropped.
        """
        is_idle = not (self._batch and self._batch.is_busy)
        commands = [self._wait_for_command()] if is_idle else []
        while not self._commands.empty():
            commands.append(self._commands.get())
        return sorted(commands, key=lambda command: isinstance(command, Shed))

    def _wait_for_command(self) -> Command:
        """The next command; prefixes are written to disk while there is none."""
        while self._prefix_cache and self._prefix_cache.unsaved:
            try:
                return self._commands.get(timeout=_SAVE_AFTER_S)
            except queue.Empty:
                self._prefix_cache.save_next()
        return self._commands.get()

    def _handle(self, command: Command) -> None:
        match command:
            case Load():
                self._load(command)
            case Limit() if self._grants:
                if self._grants.open(command):
                    self._report_pause([command.sequences[0].id])
            case Add(sequences=sequences) if self._batch:
                if not (self._grants and self._grants.hold_back(sequences)):
                    self._add(self._batch, sequences)
            case Grant() if self._batch and self._grants:
                for group in self._grants.grant(command):
                    self._add(self._batch, group)
            case Pause(id=number):
                self._pause(number)
            case Restored() if self._batch:
                self._add_restored(self._batch, command)
            case Remove(id=sequence_id) if self._batch:
                self._restoring.pop(sequence_id, None)
                self._batch.remove(sequence_id)
                if self._grants:
                    self._grants.remove(sequence_id)
                self._update_memory()
            case EndSequenceThinking(request=request, ids=ids):
                self._callbacks.on_thinking_ended(request, sum(map(self._end_thinking, ids)))
            case InstallLora() if self._loras:
                self._install(self._loras, command)
            case RemoveLoras(keys=keys) if self._loras:
                self._loras.remove(set(keys) - self._loras_in_use)
                self._callbacks.on_memory()
            case Shed(keep_bytes=keep) if self._prefix_cache:
                self._prefix_cache.shed(keep)
                self._update_memory()
                self._callbacks.on_memory()
            case Quit():
                self._is_running = False
                if self._prefix_cache:
                    self._prefix_cache.flush(_FLUSH_S)

    def _load(self, options: Load) -> None:
        from inference.worker.engine.model_batch import new_batch, new_prefix_cache
        from inference.worker.engine.token_grants import TokenGrants
        from inference.worker.lora.store import LoraStore
        from inference.worker.model.loading import load
        from inference.worker.speculation.draft_loading import load_with_draft_model
        from inference.worker.speculation.findings import findings_of

        try:
            load_model = self._load_model or load
            loaded = run_at_low_priority(
                lambda: load_with_draft_model(options, load_model, self._callbacks.on_loading)
            )
            prefix_cache, findings = new_prefix_cache(options, loaded)
            self._prefix_cache = prefix_cache
            self._loras = LoraStore(loaded.model, loaded.lora_targets)
            self._batch = self._rounds.new_batch(
                lambda: new_batch(options, loaded, prefix_cache), self._release_memory
            )
            self._grants = TokenGrants(self._callbacks.on_growth_wanted)
            findings = (*loaded.findings, *findings, *findings_of(loaded, options.speculation))
            self._callbacks.on_loaded(replace(loaded, findings=findings))
        except Exception as error:  # a model's files can be wrong in any way; the site gets the reason
            logger.exception("Cannot load %s", options.model)
            self._callbacks.on_load_failed(error)

    def _release_memory(self) -> None:
        """Free what can be freed after a failed step: a lack of memory may have been the cause."""
        import mlx.core as mx

        if self._prefix_cache:
            self._prefix_cache.shed(0)
        gc.collect()
        mx.clear_cache()

    def _install(self, loras: "LoraStore", command: InstallLora) -> None:
        """Put an adapter into the model, and take out its earlier versions that no sequence uses."""
        in_use, name = self._loras_in_use, command.weights.key.partition("@")[0]
        old = [key for key in loras.keys if key.partition("@")[0] == name and key not in in_use]
        try:
            loras.remove(old)
            loras.add(command.weights)
        except Exception:  # perhaps there is no memory for it; only its own requests fail
            logger.exception("Cannot put the adapter %s into the model", name)
            command.then(old, True)
        else:
            command.then(old, False)

    @property
    def _loras_in_use(self) -> set[str]:
        in_batch = self._batch.loras if self._batch else set()
        paused = self._grants.loras if self._grants else set()
        return in_batch | paused | {sequence.lora for sequence in self._restoring.values()}

    def _add(self, batch: "EngineBatch", sequences: "tuple[Sequence, ...] | tuple[Inputs]") -> None:
        """Add sequences to the batch, after reading their prefix if the disk has a longer one than memory."""
        keys = self._loras.keys if self._loras else ()
        if any(lora and lora not in keys for lora in (getattr(one, "lora", "") for one in sequences)):
            self._callbacks.on_lost([one.id for one in sequences])  # its files changed in this moment
            return
        cache, prompts = self._prefix_cache, tuple(one for one in sequences if not isinstance(one, Inputs))
        prompts = self._grants.limited(prompts) if self._grants else prompts
        first = prompts[0] if prompts else None
        saved = cache.find_on_disk(first.owner, first.keyed(first.known)) if cache and first else None
        if not (cache and cache.disk and saved):
            batch.add(*(prompts or sequences))
            return
        self._restoring |= {one.id: one for one in prompts}
        cache.disk.submit_read(saved, lambda entry: self.post(Restored(prompts, entry)))

    def _pause(self, request: int) -> None:
        """Take the sequences of a request out of the batch; their caches become prefixes.

        The pool learns first that their bytes are free, and then of the prefixes.
        """
        if not (self._batch and self._grants):
            return
        ids = self._grants.sequences_of(request)
        taken = [self._restoring.pop(one, None) or self._batch.suspend(one) for one in ids]
        self._grants.pause(request, [one for one in taken if one])
        self._report_pause(ids[-1:])

    def _report_pause(self, ids: list[int]) -> None:
        from inference.worker.engine.sequence import Suspended

        self._callbacks.on_outputs([Suspended(one) for one in ids])
        self._update_memory()
        self._callbacks.on_memory()

    def _end_thinking(self, sequence_id: int) -> bool:
        if waiting := self._restoring.get(sequence_id):
            ended = waiting.with_thinking_ended()
            self._restoring[sequence_id] = ended or waiting
            return ended is not None
        is_in_batch = bool(self._batch and self._batch.end_thinking(sequence_id))
        return is_in_batch or bool(self._grants and self._grants.end_thinking(sequence_id))

    def _add_restored(self, batch: "EngineBatch", restored: Restored) -> None:
        """Add the sequences that waited for the disk and were not cancelled meanwhile."""
        group = [found for one in restored.sequences if (found := self._restoring.pop(one.id, None))]
        if self._prefix_cache and restored.entry:
            self._prefix_cache.restore(restored.entry)
        if group:
            batch.add(*group)
        if self._prefix_cache:
            self._prefix_cache.shed(self._prefix_cache.limit)
            self._update_memory()

    def _step(self, batch: "EngineBatch") -> None:
        from inference.worker.engine.sequence import Lost

        made = list(batch.step())
        outputs = [one for one in made if not isinstance(one, Lost)]
        lost = [one.id for one in made if isinstance(one, Lost)]
        self.steps += 1
        self._rounds.note(outputs)
        self._callbacks.on_outputs(outputs)
        if lost:
            self._callbacks.on_lost(lost)
        for request in self._grants.count(outputs) if self._grants else ():
            self._pause(request)
        if self.steps % _STEPS_BETWEEN_REPORTS == 0 or any(getattr(o, "finish", None) for o in outputs):
            self._update_memory()

    def _update_memory(self) -> None:
        """Update the memory figures, and report them at once if the prefix cache has changed."""
        before = self.prefix_bytes
        self.kv_bytes = self._batch.kv_bytes if self._batch else 0
        self.prefix_bytes = self._prefix_cache.bytes if self._prefix_cache else 0
        if self.prefix_bytes != before:
            self._callbacks.on_memory()

    def _update_running(self) -> None:
        self.running = len(self._restoring) + (len(self._batch.ids) if self._batch else 0)
