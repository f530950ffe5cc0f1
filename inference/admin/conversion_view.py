"""Conversions as the admin's pages show them: quantisations and imports."""

from dataclasses import dataclass
from typing import Any

from inference.core.conversion import ConversionStep
from inference.repository.conversions.active_conversion import ActiveConversion, ConversionState

_HEADINGS = {
    ConversionState.WAITING: "Waiting",
    ConversionState.DONE: "Done",
    ConversionState.FAILED: "Failed",
    ConversionState.CANCELLED: "Cancelled",
    ConversionState.INTERRUPTED: "Interrupted",
    ConversionState.ELSEWHERE: "Made elsewhere",
}
_STEPS = {
    "quantise": "Quantise",
    "measure_source": "Measure the original",
    "measure_result": "Measure the result",
    "import": "Weights",
}


@dataclass(frozen=True)
class StepView:
    """One step's row: its name, its progress as text, and as a bar."""

    name: str
    amount: str
    percent: int

    @classmethod
    def of(cls, step: ConversionStep) -> "StepView":
        percent = 100 * step.done // step.size if step.size else 0
        return cls(name=_STEPS[step.name], amount=f"{percent} %", percent=percent)


@dataclass(frozen=True, kw_only=True)
class ConversionView:
    """One conversion as its page shows it; static/inference/downloads.js polls it with these keys."""

    id: str
    state: str
    heading: str
    text: str
    percent: int
    can_cancel: bool
    can_dismiss: bool
    files: tuple[StepView, ...]


def shared_facts(one: ActiveConversion[Any, Any], *, running: str, text: str) -> dict[str, Any]:
    """What the views of all kinds have; `running` is the heading while it runs, `text` is below it."""
    steps = one.progress.steps if one.state is ConversionState.RUNNING else ()
    files = tuple(map(StepView.of, steps))
    waits = "It begins when the previous one has ended."
    return {
        "id": one.name,
        "state": one.state,
        "heading": _HEADINGS.get(one.state, running),
        "text": waits if one.state is ConversionState.WAITING else text,
        "percent": sum(file.percent for file in files) // len(files) if files else 0,
        "can_cancel": one.is_active,
        "can_dismiss": not one.is_active and one.state is not ConversionState.ELSEWHERE,
        "files": files,
    }
