"""Self-tests of models on an operator's request: they run, and their findings are stored and summarised."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from inference.core.errors import ModelNotFound, Unavailable, UnsupportedField
from inference.core.model_card import Finding
from inference.core.self_test_summary import Tone, summary
from inference.models import ServedModel
from inference.pool.workers import self_test
from inference.serving import runtime


class SelfTestReport(Struct, frozen=True, kw_only=True):
    """What the test of a model found: a few words with their tone, and sentences."""

    model: str
    summary: str
    tone: Tone
    texts: tuple[str, ...]
    findings: tuple[Finding, ...]
    is_earlier_in_memory: bool  # whether the model in memory has other findings, from its load


class NotTested(Struct, frozen=True):
    """Why a model could not be tested."""

    model: str
    text: str
    is_remote: bool = False


def run(names: Iterable[str]) -> list[SelfTestReport | NotTested]:
    """Test models by their ids, and store what was found; blocks for seconds."""
    wanted = list(names)
    cards = {name: card for name in wanted if (card := runtime.catalog().exact(name))}
    found = self_test.examine([card for card in cards.values() if not card.is_remote])
    for name, findings in found.items():
        row, _ = ServedModel.objects.get_or_create(name=name)
        ServedModel.objects.filter(pk=row.pk).update(findings=msgspec.to_builtins(findings))
    return [_report(name, found[name]) if name in found else _not_tested(name) for name in wanted]


def run_one(model: str) -> SelfTestReport:
    """Test the model of this id or alias; raises ModelNotFound, UnsupportedField or Unavailable."""
    card = runtime.catalog().find(model)
    if card is None:
        raise ModelNotFound(f"There is no model {model[:256]!r} here.", param="model")
    (report,) = run([card.id])
    if isinstance(report, SelfTestReport):
        return report
    if report.is_remote:
        raise UnsupportedField(report.text, param="model")
    raise Unavailable(report.text)


def _report(name: str, findings: tuple[Finding, ...]) -> SelfTestReport:
    tested, loaded = summary(findings), runtime.pool().snapshot().of(name).loaded
    return SelfTestReport(
        model=name,
        summary=tested.text,
        tone=tested.tone,
        texts=tested.texts,
        findings=findings,
        is_earlier_in_memory=bool(loaded and loaded.adapter_findings != findings),
    )


def _not_tested(name: str) -> NotTested:
    card = runtime.catalog().exact(name)
    if card is None:
        return NotTested(name, f"The folder of {name} does not exist.")
    if card.is_remote:
        return NotTested(name, f"Another server has {name}; test its upstream.", is_remote=True)
    return NotTested(name, f"The test of {name} did not finish; the server's log may say why.")
