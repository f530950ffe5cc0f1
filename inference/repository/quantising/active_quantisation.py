"""One quantisation as it is now, and its states."""

from enum import StrEnum

from msgspec import Struct

from inference.core.quantisation import QuantisationProgress, QuantisationReport
from inference.repository.quantising.plan import QuantisationPlan


class State(StrEnum):
    WAITING = "waiting"  # for the one before it
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # by the end of the site
    ELSEWHERE = "elsewhere"  # another program makes it


class ActiveQuantisation(Struct, frozen=True, kw_only=True):
    """One quantisation; `name` is that of the new model. `plan` is empty for those of other programs."""

    name: str
    state: State
    plan: QuantisationPlan | None = None
    progress: QuantisationProgress = QuantisationProgress()
    message: str = ""
    report: QuantisationReport | None = None

    @property
    def is_active(self) -> bool:
        return self.state in {State.WAITING, State.RUNNING}
