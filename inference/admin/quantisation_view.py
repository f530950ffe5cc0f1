"""Quantisations as the admin's pages show them."""

from dataclasses import dataclass

from inference.core.quantisation import PerplexityComparison, QuantisationReport, QuantisationStep
from inference.core.units import in_gb_or_mb
from inference.repository.quantising.active_quantisation import ActiveQuantisation, State
from inference.repository.quantising.plan import QuantisationPlan

_HEADINGS = {
    State.WAITING: "Waiting",
    State.RUNNING: "Quantising",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
    State.INTERRUPTED: "Interrupted",
    State.ELSEWHERE: "Made elsewhere",
}
_STEPS = {
    "quantise": "Quantise",
    "measure_source": "Measure the original",
    "measure_result": "Measure the result",
}


@dataclass(frozen=True)
class StepView:
    """One step's row: its name, its progress as text, and as a bar."""

    name: str
    amount: str
    percent: int

    @classmethod
    def of(cls, step: QuantisationStep) -> "StepView":
        percent = 100 * step.done // step.size if step.size else 0
        return cls(name=_STEPS[step.name], amount=f"{percent} %", percent=percent)


@dataclass(frozen=True, kw_only=True)
class QuantisationView:
    """One quantisation as the page shows it; static/inference/downloads.js polls it with these keys."""

    id: str
    state: str
    heading: str
    text: str
    percent: int
    can_cancel: bool
    can_dismiss: bool
    files: tuple[StepView, ...]
    rows: tuple[tuple[str, str, str], ...] = ()  # what, before and after

    @classmethod
    def of(cls, one: ActiveQuantisation) -> "QuantisationView":
        steps = one.progress.steps if one.state is State.RUNNING else ()
        files = tuple(map(StepView.of, steps))
        return cls(
            id=one.name,
            state=one.state,
            heading=_HEADINGS[one.state],
            text=_text(one),
            percent=sum(file.percent for file in files) // len(files) if files else 0,
            can_cancel=one.is_active,
            can_dismiss=not one.is_active and one.state is not State.ELSEWHERE,
            files=files,
            rows=tuple(result_rows(one.report, one.plan)) if one.report else (),
        )


def _text(one: ActiveQuantisation) -> str:
    if one.state is State.WAITING:
        return "It begins when the one before it has ended."
    if one.state is State.RUNNING and one.plan:
        starting = "" if one.progress.steps else " Starting…"
        return f"From {one.plan.job.source}: {one.plan.job.settings.text}.{starting}"
    problem = f" {one.report.problem}" if one.report and one.report.problem else ""
    return one.message + problem


def result_rows(
    report: QuantisationReport, plan: QuantisationPlan | None = None
) -> list[tuple[str, str, str]]:
    """What the result is like beside its source: size, predicted memory where it is known, perplexity."""
    rows = [("Size on disk", in_gb_or_mb(report.source_bytes), in_gb_or_mb(report.bytes))]
    if plan:
        rows.append(
            (
                "Predicted memory",
                in_gb_or_mb(plan.prediction.source_memory_bytes),
                in_gb_or_mb(plan.prediction.memory_bytes),
            )
        )
    if report.perplexity:
        rows.append(("Perplexity", *_perplexities(report.perplexity)))
    return rows


def _perplexities(found: PerplexityComparison) -> tuple[str, str]:
    return tuple(f"{one.value:.2f} ± {one.error:.2f}" for one in (found.before, found.after))  # type: ignore[return-value]


def report_text(report: QuantisationReport) -> str:
    """The report as a paragraph of the model's page."""
    text = (
        f"Made of {report.source} with {report.settings.text}: {report.bits_per_weight:.2f} bits per weight, "
        f"{in_gb_or_mb(report.bytes)} in the place of {in_gb_or_mb(report.source_bytes)}."
    )
    if not report.perplexity:
        return f"{text} {report.problem}".strip()
    before, after = _perplexities(report.perplexity)
    return (
        f"{text} Perplexity {after}, of the original {before}, on {report.perplexity.tokens:,} tokens of "
        f"“{report.perplexity.text}”."
    )
