"""Quantisations as the admin's pages show them."""

from dataclasses import dataclass

from inference.admin import arrived_model
from inference.admin.conversion_view import ConversionView, shared_facts
from inference.core.quantisation import PerplexityComparison, QuantisationReport
from inference.core.units import in_gb_or_mb
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.quantising.active_quantisation import ActiveQuantisation
from inference.repository.quantising.plan import QuantisationPlan


@dataclass(frozen=True, kw_only=True)
class QuantisationView(ConversionView):
    """One quantisation."""

    rows: tuple[tuple[str, str, str], ...] = ()  # what, before and after
    kind: str = ""  # of a model that is here: "chat" for those that make text

    @classmethod
    def of(cls, one: ActiveQuantisation) -> "QuantisationView":
        rows = tuple(result_rows(one.report, one.plan)) if one.report else ()
        kind = arrived_model.kind_of(one.name) if one.state is ConversionState.DONE else ""
        return cls(rows=rows, kind=kind, **shared_facts(one, running="Quantising", text=_text(one)))


def _text(one: ActiveQuantisation) -> str:
    if one.state is ConversionState.RUNNING and one.plan:
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
