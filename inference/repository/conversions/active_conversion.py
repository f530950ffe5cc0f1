"""One conversion as it is now, and its states."""

from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from inference.core.conversion import ConversionJob, ConversionProgress


class ConversionPlan(Protocol):
    """A job, with whatever was found out about it before it begins."""

    @property
    def job(self) -> ConversionJob: ...


P = TypeVar("P", bound=ConversionPlan)
R = TypeVar("R")


class ConversionState(StrEnum):
    WAITING = "waiting"  # for the one before it
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # by the end of the site
    ELSEWHERE = "elsewhere"  # another program makes it


class ActiveConversion(Struct, Generic[P, R], frozen=True, kw_only=True):
    """One conversion; `name` is that of the new model. `plan` is empty for those of other programs."""

    name: str
    state: ConversionState
    plan: P | None = None
    progress: ConversionProgress = ConversionProgress()
    message: str = ""
    report: R | None = None

    @property
    def is_active(self) -> bool:
        return self.state in {ConversionState.WAITING, ConversionState.RUNNING}
