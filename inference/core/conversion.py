"""Making a model folder in a process of its own: its job, how far it is, and how it ended."""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

R = TypeVar("R")

StepName = Literal["quantise", "measure_source", "measure_result", "import"]


class ConversionJob(Struct, frozen=True, kw_only=True):
    """What the process is given, and keeps in its draft."""

    source: str  # the id of a model, or the name of a file
    source_path: str
    name: str  # of the new model
    target_path: str


class ConversionStep(Struct, frozen=True, kw_only=True):
    """One step: bytes of weights written, or tokens of the text measured; done and in all."""

    name: StepName
    done: int = 0
    size: int = 0


class ConversionProgress(Struct, frozen=True, kw_only=True, tag="progress"):
    """All steps, in their order."""

    steps: tuple[ConversionStep, ...] = ()


class ConversionEnding(Struct, Generic[R], frozen=True, kw_only=True, tag="ending"):
    """The last line of the process; `failure` is empty when the model is there."""

    failure: str = ""
    report: R | None = None
