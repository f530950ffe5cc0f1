"""The check of LoRA adapters: those that requests would be refused for."""

from collections.abc import Iterator, Sequence

from inference.core.model_card import ModelCard
from inference.serving import runtime
from inference.serving.health.finding import CheckResult

_ADVICE = "Correct or remove its folder; the model and its other adapters are not affected."


def check() -> Iterator[CheckResult]:
    yield from lora_adapters(runtime.catalog().scan())


def lora_adapters(cards: Sequence[ModelCard]) -> Iterator[CheckResult]:
    """One result for each adapter that cannot be used; one with their number if all can."""
    loras = [(card, lora) for card in cards for lora in card.loras]
    broken = [(card, lora) for card, lora in loras if lora.problem]
    for card, lora in broken:
        text = f"{card.id}:{lora.name} cannot be used: {lora.problem}"
        yield CheckResult(about="adapters", text=text, state="look", advice=_ADVICE)
    if loras and not broken:
        yield CheckResult(about="adapters", text=f"{len(loras)} LoRA adapters, all readable")
