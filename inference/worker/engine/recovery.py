"""A batch that survives a failing step: only the sequence at fault is lost, and too many take turns.

A step of the device fails for all of its rows at once and does not say for which. So after a failure:

1. What was computed is dropped, the prefix cache too, since memory may be what is missing.
2. Each row is computed by itself, up to its next token. One that fails is lost, the others passed.
3. Those that passed go on together.
4. Where a step fails again with rows that have all just passed, there is no room for so many: half of them go
   on and the others wait. Whenever an answer ends, one more may join, up to one fewer than failed.

Each trial that passes adds a token to an answer and each that fails ends one, so this comes to an end. Trials
are steps like any other: between them sequences are added, cancelled and shed.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from inference.worker.engine.sequence import Lost, Output, Prefilled, Sampled

logger = logging.getLogger(__name__)
_RECENT_TOKENS = 16  # tokens; a row that made no more since its trial has just passed it


class Steppable(Protocol):
    """What is stepped: a Batch of sequences, or the Embeddings of an embedding model."""

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

    def step(self) -> Iterator[Output]: ...


class ResilientBatch:
    """A Steppable that never raises.

    `new_batch` makes an empty one, `on_failure` is called after every failure, before anything is computed
    again.
    """

    def __init__(self, new_batch: Callable[[], Steppable], on_failure: Callable[[], None]) -> None:
        self._new_batch = new_batch
        self._on_failure = on_failure
        self._batch = new_batch()
        self._trial: Steppable | None = None
        self._suspects: deque[Any] = deque()  # still to be tried
        self._passed: list[Any] = []
        self._waiting: deque[tuple[Any, ...]] = deque()  # for room; each of one prompt
        self._lost: list[int] = []  # to be reported by the next step
        self._since_trial: dict[int, int] = {}  # tokens that a sequence has made since
        self._row_limit: int | None = None  # rows at most; None: no step has failed for lack of room
        self._max_row_limit = 0  # and how far the width may grow again

    @property
    def is_busy(self) -> bool:
        return bool(self._lost or self._is_recovering or self._waiting or self._batch.is_busy)

    @property
    def ids(self) -> list[int]:
        trial = self._trial.ids if self._trial else []
        others = [*self._passed, *self._suspects, *(one for group in self._waiting for one in group)]
        return [*self._batch.ids, *trial, *(one.id for one in others)]

    @property
    def kv_bytes(self) -> int:
        return self._batch.kv_bytes + (self._trial.kv_bytes if self._trial else 0)

    def add(self, *group: Any) -> None:
        """Begin sequences of one prompt, as soon as there is room for them."""
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

    def step(self) -> Iterator[Output | Lost]:
        """Let every running sequence get on: one trial while there are any, or else the whole batch."""
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
        except Exception:  # whatever breaks a step of all rows may be the matter of one
            logger.exception("A step failed with %d sequences", len(self._batch.ids))
            self._recover(list(self._batch.unfinished))

    def _recover(self, failed: list[Any]) -> None:
        """Begin anew with the sequences of a step that failed."""
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
        """There is no room for all of these: the older half goes on first."""
        self._max_row_limit, self._row_limit = len(failed) - 1, max(1, len(failed) // 2)
        logger.warning("No room for %d sequences together: computing %d", len(failed), self._row_limit)
        self._waiting.extendleft((one,) for one in reversed(failed))

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
            logger.exception("A sequence fails by itself")
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
                trial.remove(one.id)  # what it computed is found as a prefix when it is added again
            except Exception:
                logger.exception("What a trial computed is not kept")

    # The rows.

    def _admit(self) -> None:
        """Add whoever waits and has room."""
        while self._waiting and not self._is_recovering:
            group = self._waiting[0]
            free_rows = len(group) if self._row_limit is None else self._row_limit - len(self._batch.ids)
            if (
                free_rows < len(group) and len(group) > 1
            ):  # a prompt with several answers need not wait for all
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
        except Exception:  # what is wrong with one request ends that request only
            logger.exception("Cannot add sequence %d", group[0].id)
            for one in group:
                self._fail(one)

    def _remove_from_batch(self, number: int) -> None:
        try:
            self._batch.remove(number)
        except Exception:  # evaluating its caches takes memory, which may be what is missing
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
