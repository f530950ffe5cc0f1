"""The LoRA adapters of a model, as its page shows them."""

from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from inference.core.model_card import LoraCard, ModelCard
from inference.core.units import in_gb


def lora_lines(card: ModelCard | None) -> str:
    """A line for each adapter: the id that requests name it by, or why it cannot be used."""
    if card is None or not card.loras:
        return "None. Each folder below “adapters” in the model's folder is an adapter."
    return format_html_join(
        mark_safe("<br>"), "{}: {}", ((f"{card.id}:{lora.name}", _text(lora)) for lora in card.loras)
    )


def _text(lora: LoraCard) -> str:
    if lora.problem:
        return f"cannot be used: {lora.problem}"
    return f"{in_gb(lora.resident_bytes)} more memory once it is used"
