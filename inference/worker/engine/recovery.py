"""Recovery from a failed step: only the sequence at fault is lost, and a batch that is too large is halved.

A step on the device fails for all rows at once and does not name the row at fault. After a failure:

1. Drop the batch with its caches, and the prefix cache: a lack of memory may have been the cause.
2. Compute each row alone, up to its next token. A row that fails alone is lost; the others have passed.
3. Put the rows that passed back into one batch.
4. If a step fails again while all of its rows have passed recently, memory does not suffice for so many rows:
   compute half of them and let the others wait. Whenever an answer ends, the limit grows by one row, up to
   one below the number that failed.

A trial that passes adds a token to an answer and one that fails ends a sequence, so recovery terminates.
Trials are ordinary steps: between them sequences are added and cancelled, and memory is shed.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from inference.worker.engine.sequence import Lost, Output, Prefilled, Sampled, Sequence

logger = logging.getLogger(__name__)
_RECENT_TOKENS = 16  # a row with fewer tokens since its trial has passed it recently


class Steppable(Protocol):
    """What is stepped: a Batch of sequences, or an EmbeddingBatch."""

    @property
    def is_busy(self) -> bool: ...

    @property
    def ids(self) -> list[int]: ...

    @property
    def kv_bytes(self) -> int: ...

    @property
    def unfinished(self) -> Iterable[Any]: ...

    @property
    def add(self) -> Callable[..., None]: ...

    def remove(self, number: int, /) -> None: ...

    def end_thinking(self, number: int, /) -> bool: ...

    def step(self) -> Iterator[Output]: ...


class ResilientBatch:
    """A Steppable that never raises: it reports a sequence that cannot be computed as Lost.

    `new_batch` makes an empty batch. `on_failure` is called after every failure, before anything is computed
    again.
    """

    def __init__(self, new_batch: Callable[[], Steppable], on_failure: Callable[[], None]) -> None:
        self._new_batch = new_batch
        self._on_failure = on_failure
        self._batch = new_batch()
        self._trial: Steppable | None = None
        self._suspects: deque[Any] = deque()  # rows that are still to be tried alone
        self._passed: list[Any] = []  # rows that have been tried
        self._waiting: deque[tuple[Any, ...]] = deque()  # for a free row; each group has one prompt
        self._lost: list[int] = []  # to be reported by the next step
        self._since_trial: dict[int, int] = {}  # tokens that a sequence has made since its trial
        self._row_limit: int | None = None  # None: no step has failed for a lack of memory
        self._max_row_limit = 0  # how far the limit may grow again

    @property
    def is_busy(self) -> bool:
        return bool(self._lost or self._is_recovering or self._waiting or self._batch.is_busy)

    @property
    def ids(self) -> list[int]:
        trial = self._trial.ids if self._trial else []
        return [*self._batch.ids, *trial, *(one.id for one in self._rows_outside)]

    @property
    def loras(self) -> set[str]:
        """The adapters of its sequences."""
        trial = self._trial.unfinished if self._trial else ()
        rows = [*self._batch.unfinished, *trial, *self._rows_outside]
        return {one.lora for one in rows if isinstance(one, Sequence)}

    @property
    def kv_bytes(self) -> int:
        return self._batch.kv_bytes + (self._trial.kv_bytes if self._trial else 0)

    def add(self, *group: Any) -> None:
        """Add sequences of one prompt, as soon as there are rows for them."""
        self._waiting.append(group)
        self._admit()

    def remove(self, number: int) -> None:
        """Drop a sequence wherever it is; unknown ids have ended already."""
        self._since_trial.pop(number, None)
        self._lost = [one for one in self._lost if one != number]
        self._suspects = deque(one for one in self._suspects if one.id != number)
        self._passed = [one for one in self._passed if one.id != number]
        groups = (tuple(one for one in group if one.id != number) for group in self._waiting)
        self._waiting = deque(group for group in groups if group)
        if self._trial and number in self._trial.ids:
            self._trial = None
        self._remove_from_batch(number)
        self._admit()

    def suspend(self, number: int) -> Any | None:
        """Take a sequence out, to be added again later; None for one that has ended."""
        batches = [one.unfinished for one in (self._batch, self._trial) if one]
        rows = (*(one for rows in batches for one in rows), *self._rows_outside)
        found = next((one for one in rows if one.id == number), None)
        if found is not None:
            self.remove(number)
        return found

    def end_thinking(self, number: int) -> bool:
        """Have the reasoning of a sequence end, wherever it is; False where none goes on."""
        batches = (self._batch, self._trial)
        return any(one.end_thinking(number) for one in batches if one) or self._end_waiting(number)

    def step(self) -> Iterator[Output | Lost]:
        """One step of a trial during recovery, or else of the whole batch; then admit waiting sequences."""
        if self._is_recovering:
            yield from self._step_trial()
        elif self._batch.is_busy:
            yield from self._step_together()
        self._admit()
        lost, self._lost = self._lost, []
        yield from map(Lost, lost)

    @property
    def _is_recovering(self) -> bool:
        return bool(self._trial or self._suspects or self._passed)

    def _step_together(self) -> Iterator[Output]:
        try:
            for output in self._batch.step():
                self._count_token(output)
                yield output
        except Exception:  # a step can fail in any way, perhaps because of one row only
            logger.exception("A step failed with %d sequences", len(self._batch.ids))
            self._recover(list(self._batch.unfinished))

    def _recover(self, failed: list[Any]) -> None:
        """Start the steps above with the sequences of a failed step."""
        self._batch = self._new_batch()
        self._on_failure()
        all_passed_recently = all(
            self._since_trial.get(one.id, _RECENT_TOKENS) < _RECENT_TOKENS for one in failed
        )
        if not all_passed_recently:
            self._suspects.extend(failed)
        elif len(failed) == 1:
            self._fail(failed[0])
        elif failed:
            self._halve(failed)

    def _halve(self, failed: list[Any]) -> None:
        """Limit the rows to half of these; the older half is computed first."""
        self._max_row_limit, self._row_limit = len(failed) - 1, max(1, len(failed) // 2)
        logger.warning(
            "Not enough memory for %d sequences together: computing %d", len(failed), self._row_limit
        )
        self._waiting.extendleft((one,) for one in reversed(failed))

    def _end_waiting(self, number: int) -> bool:
        """The same for one that waits to be computed again."""
        found = next((one for one in self._rows_outside if one.id == number), None)
        ended = found.with_thinking_ended() if isinstance(found, Sequence) else None
        if ended is None:
            return False
        self._suspects = deque(ended if one is found else one for one in self._suspects)
        self._passed = [ended if one is found else one for one in self._passed]
        groups = (tuple(ended if one is found else one for one in group) for group in self._waiting)
        self._waiting = deque(groups)
        return True

    @property
    def _rows_outside(self) -> Iterator[Any]:
        """The sequences that are in no batch."""
        yield from (*self._passed, *self._suspects, *(one for group in self._waiting for one in group))

    # Trials.

    def _step_trial(self) -> Iterator[Output]:
        if not self._trial:
            self._begin_trial()
            return
        trial, is_complete = self._trial, False
        try:
            for output in trial.step():
                is_complete |= not isinstance(output, Prefilled)
                self._count_token(output)
                yield output
        except Exception:
            logger.exception("A sequence fails when computed alone")
            self._end_trial(trial, has_passed=False)
            return
        if is_complete or not trial.is_busy:
            self._end_trial(trial, has_passed=True)

    def _begin_trial(self) -> None:
        if not self._suspects:
            self._waiting.extendleft((one,) for one in reversed(self._passed))
            self._passed = []
            return
        suspect, self._trial = self._suspects.popleft(), self._new_batch()
        try:
            self._trial.add(suspect)
        except Exception:
            logger.exception("A sequence cannot be added")
            self._trial = None
            self._fail(suspect)

    def _end_trial(self, trial: Steppable, *, has_passed: bool) -> None:
        self._trial = None
        for one in list(trial.unfinished):
            if not has_passed:
                self._fail(one)
                continue
            self._since_trial[one.id] = 0
            self._passed.append(one)
            try:
                trial.remove(one.id)  # its caches become a prefix, which it finds when it is added again
            except Exception:
                logger.exception("The caches of a trial cannot be stored")

    # The rows.

    def _admit(self) -> None:
        """Add waiting sequences while there are free rows."""
        while self._waiting and not self._is_recovering:
            group = self._waiting[0]
            free_rows = len(group) if self._row_limit is None else self._row_limit - len(self._batch.ids)
            if free_rows < len(group) and len(group) > 1:  # the answers to one prompt need not begin together
                self._waiting.popleft()
                self._waiting.extendleft((one,) for one in reversed(group))
            elif free_rows < len(group):
                return
            else:
                self._add_to_batch(self._waiting.popleft())
        if self._row_limit is not None and not self.is_busy:
            self._row_limit = None

    def _add_to_batch(self, group: tuple[Any, ...]) -> None:
        try:
            self._batch.add(*group)
        except Exception:  # an error in one request ends that request only
            logger.exception("Cannot add sequence %d", group[0].id)
            for one in group:
                self._fail(one)

    def _remove_from_batch(self, number: int) -> None:
        try:
            self._batch.remove(number)
        except Exception:  # evaluating its caches takes memory, which may be short
            logger.exception("Cannot remove sequence %d", number)
            self._recover([one for one in self._batch.unfinished if one.id != number])

    def _count_token(self, output: Output) -> None:
        if not isinstance(output, Sampled):
            return
        if output.id in self._since_trial:
            self._since_trial[output.id] += 1
        if output.finish:
            self._since_trial.pop(output.id, None)
            if self._row_limit is not None:
                self._row_limit = min(self._max_row_limit, self._row_limit + 1)

    def _fail(self, sequence: Any) -> None:
        self._since_trial.pop(sequence.id, None)
        self._lost.append(sequence.id)
