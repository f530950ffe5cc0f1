"""The conversions of this site: of each kind one at a time, in the order in which they were started."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Generic

import msgspec

from inference.core.conversion import ConversionEnding
from inference.core.installation import PROGRAM
from inference.repository.conversion_process import ConversionProcess
from inference.repository.conversions.active_conversion import ActiveConversion, ConversionState, P, R
from inference.repository.conversions.drafts import ConversionDrafts, discard
from inference.repository.conversions.model_name import check_name
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.files import staging

logger = logging.getLogger(__name__)
_MOST_WAITING = 20
_MOST_REMEMBERED = 20
_END_S = 10.0
_INTERRUPTED = "The server stopped before it was complete. Its partial files were deleted; start it again."


class Conversions(Generic[P, R]):
    """The register of conversions of one kind, which is a subclass; safe to use from several threads.

    `claim` holds the memory of one while it runs, and raises ConversionRefused when there is too little.
    `on_done` is called after a success. What an earlier site left is deleted, and listed as interrupted; for
    the next one, `close` leaves notes, if `leaves_notes`. `module` is the process that makes one.
    """

    usual_module: ClassVar[str]
    job_file: ClassVar[str]
    line: ClassVar[Any]  # the type of what its process writes
    participle: ClassVar[str]  # what is done to a source, such as "quantised"
    command: ClassVar[str]  # that makes one without a site

    def __init__(
        self,
        models_dir: Path,
        *,
        claim: Callable[[P], AbstractContextManager[None]],
        on_done: Callable[[], None],
        leaves_notes: bool = False,
        module: str = "",
    ) -> None:
        self._module = module or self.usual_module
        self._models_dir, self._claim, self._on_done = models_dir, claim, on_done
        self._drafts = ConversionDrafts(models_dir, self.job_file)
        self._leaves_notes = leaves_notes
        self._lock = threading.Lock()
        self._queue: deque[str] = deque()
        self._process = ConversionProcess(self._module)  # of the one that runs
        self._thread: threading.Thread | None = None
        self._known: dict[str, ActiveConversion[P, R]] = {
            name: ActiveConversion(name=name, state=ConversionState.INTERRUPTED, message=_INTERRUPTED)
            for name in self._drafts.clear()
        }

    def start(self, plan: P) -> ActiveConversion[P, R]:
        """Start one, or put it behind those that were started before; raises ConversionRefused."""
        name = plan.job.name
        with self._lock:
            check_name(name, self._models_dir)
            known = self._known.get(name)
            if known and known.is_active or staging.is_being_made(self._models_dir / name):
                raise ConversionRefused(
                    f"{name} is already being created; wait, or choose another name.", field="name"
                )
            if len(self._queue) >= _MOST_WAITING:
                raise ConversionRefused(
                    f"{_MOST_WAITING} models wait to be {self.participle}; wait for some of them."
                )
            self._known.pop(name, None)  # so that it is the newest
            self._known[name] = ActiveConversion(name=name, state=ConversionState.WAITING, plan=plan)
            self._queue.append(name)
            self._forget_oldest()
            self._begin()
            return self._known[name]

    def cancel(self, name: str) -> bool:
        """Cancel one, delete what it made, and return whether it waited or ran. Idempotent."""
        with self._lock:
            known = self._known.get(name)
            if known is None or known.plan is None or not known.is_active:
                return False
            self._set(known.plan, state=ConversionState.CANCELLED, message="No files were left behind.")
            if known.state is ConversionState.WAITING:
                self._queue.remove(name)
            else:
                self._process.kill()
            return True

    def dismiss(self, name: str) -> None:
        """Forget one that has ended. Idempotent."""
        with self._lock:
            known = self._known.get(name)
            if known and not known.is_active:
                del self._known[name]

    def all(self) -> tuple[ActiveConversion[P, R], ...]:
        """Every known one, the newest first, then those that other programs make."""
        with self._lock:
            known = dict(self._known)
        message = f"Another program is creating it, such as `{PROGRAM} {self.command}`."
        elsewhere = [
            ActiveConversion[P, R](name=name, state=ConversionState.ELSEWHERE, message=message)
            for name in self._drafts.in_progress()
            if name not in known
        ]
        return (*reversed(known.values()), *elsewhere)

    def of(self, name: str) -> ActiveConversion[P, R] | None:
        with self._lock:
            return self._known.get(name)

    def close(self) -> None:
        """Cancel all, because the site ends."""
        with self._lock:
            active, thread = [one for one in self._known.values() if one.is_active], self._thread
        for one in active:
            self.cancel(one.name)
        if thread:
            thread.join(_END_S)
        for one in active if self._leaves_notes else ():
            self._drafts.leave_note(one.name)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"{self.participle} models", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Run those that wait, one after another; the thread ends with the last of them."""
        while plan := self._next():
            self._run(plan, self._process)

    def _next(self) -> P | None:
        with self._lock:
            while self._queue:
                name = self._queue.popleft()
                if plan := self._known[name].plan:
                    options = ["--leave-note"] * self._leaves_notes
                    self._process = ConversionProcess(
                        self._module, msgspec.json.encode(plan.job).decode(), *options
                    )
                    self._set(plan, state=ConversionState.RUNNING)
                    return plan
            self._thread = None
            return None

    def _run(self, plan: P, process: ConversionProcess) -> None:
        """Run one to its end, with nothing left of it unless it succeeds."""
        ending = ConversionEnding[R](failure="Its process ended unexpectedly; the server's log may say why.")

        def on_line(line: bytes) -> None:
            nonlocal ending
            message = msgspec.json.decode(line, type=self.line)
            if isinstance(message, ConversionEnding):
                ending = message
            else:
                with self._lock:
                    self._set(plan, progress=message)

        try:
            with self._claim(plan):
                process.run(on_line)
        except ConversionRefused as error:
            ending = ConversionEnding(failure=str(error))
        except Exception as error:  # the boundary: whatever became of it, those that wait go on
            logger.warning("%s, to be %s: %r", plan.job.source, self.participle, error)
            ending = ConversionEnding(failure=f"Its process ended unexpectedly: {error}.")
        discard(self._models_dir / plan.job.name)
        self._end(plan, ending)

    def _end(self, plan: P, ending: ConversionEnding[R]) -> None:
        name, state = plan.job.name, ConversionState.FAILED if ending.failure else ConversionState.DONE
        with self._lock:
            if self._is_cancelled(plan) and ending.failure:
                state = ConversionState.CANCELLED
            else:
                self._set(plan, state=state, message=ending.failure or "It is ready.", report=ending.report)
        logger.info("%s, to be %s: %s. %s", name, self.participle, state, ending.failure)
        if state is ConversionState.DONE:
            self._on_done()

    def _is_cancelled(self, plan: P) -> bool:
        known = self._known.get(plan.job.name)
        return known is None or known.plan is not plan or known.state is ConversionState.CANCELLED

    def _set(self, plan: P, **changes: Any) -> None:
        """Change the entry of this plan, unless another one of its name has been started meanwhile."""
        known = self._known.get(plan.job.name)
        if known and known.plan is plan:
            self._known[plan.job.name] = msgspec.structs.replace(known, **changes)

    def _forget_oldest(self) -> None:
        for name in list(self._known)[:-_MOST_REMEMBERED]:
            if not self._known[name].is_active:
                del self._known[name]
