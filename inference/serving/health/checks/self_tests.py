"""Models whose self-test failed when they were last loaded or tested."""

from collections.abc import Iterator

import msgspec

from inference.core.model_card import Finding
from inference.models import ServedModel
from inference.serving import runtime
from inference.serving.health.finding import CheckResult

_ADVICE = "Choose another adapter on its page, or use another version of the model."


def check() -> Iterator[CheckResult]:
    there = {card.id for card in runtime.catalog().scan()}
    tested = ServedModel.objects.exclude(findings=None).filter(is_enabled=True, name__in=there)
    found = [result for model in tested for result in _red(model)]
    yield from found or [CheckResult(about="self-tests", text="no model has failed")]


def _red(model: ServedModel) -> Iterator[CheckResult]:
    """A model that cannot chat is wrong; one that only lacks tools works without them."""
    for finding in msgspec.convert(model.findings, tuple[Finding, ...]):
        if finding.light == "red":
            yield CheckResult(
                about="self-tests",
                text=f"{model.name}: {finding.text}",
                state="wrong" if finding.about == "chat" else "look",
                advice=_ADVICE,
                link=f"/admin/inference/servedmodel/{model.pk}/change/",
            )
