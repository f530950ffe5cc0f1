"""The part of a model's page that shows it as it is: as loaded, tested, quantised, and decided about."""

from pathlib import Path

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from inference.admin.lora_lines import lora_lines
from inference.admin.model_decisions import model_decisions
from inference.admin.quantisation_view import report_text
from inference.admin.wording import rank_text, size
from inference.core.pool_state import ResidentModel
from inference.core.self_test_summary import summary
from inference.models import ServedModel
from inference.repository.quantising.report_file import read_report
from inference.serving import runtime


class CurrentState:
    """The fields of a model's page that nobody can edit."""

    @admin.display(description="As loaded")
    def facts(self, model: ServedModel) -> str:
        card = runtime.catalog().exact(model.name)
        if card and card.remote:
            return f"Served by {', '.join(card.remote.upstreams) or 'no other server'}."
        resident = runtime.pool().snapshot().of(model.name)
        loaded = resident.loaded
        if loaded is None:
            return "Load the model to see its adapter, stop tokens and device."
        facts = {
            "Adapter": loaded.adapter,
            "Stop tokens": " ".join(loaded.stop_tokens) or "none",
            "Device": " with ".join(filter(None, (loaded.device, loaded.blas))),
            "Context": f"{loaded.context_length:,} tokens",
            "KV cache": f"{loaded.kv_bits} bits" if loaded.kv_bits else "not quantised",
            "Draft model": loaded.draft_model or "none",
            "Memory per 1,000 tokens of context": size(1000 * loaded.kv_bytes_per_token),
            "Loaded in": f"{loaded.seconds:.1f} s",
        } | _ranks(resident)
        return format_html_join(mark_safe("<br>"), "{}: {}", facts.items())

    @admin.display(description="Self-test")
    def self_test(self, model: ServedModel) -> str:
        if model.findings is None:
            return "Test or load the model to check its chat template, roles, stop tokens and tools."
        tested = summary(model.stored_findings)
        status = format_html('<span data-tone="{}">{}</span>', tested.tone, tested.text)
        return format_html_join(mark_safe("<br>"), "{}", [(line,) for line in (status, *tested.texts)])

    @admin.display(description="Decisions")
    def decisions(self, model: ServedModel) -> str:
        return model_decisions(model.name)

    @admin.display(description="LoRA adapters")
    def lora_adapters(self, model: ServedModel) -> str:
        return lora_lines(runtime.catalog().exact(model.name))

    @admin.display(description="Quantised")
    def quantised(self, model: ServedModel) -> str:
        card = runtime.catalog().exact(model.name)
        report = read_report(Path(card.path)) if card and card.path else None
        return report_text(report) if report else "Not here."


def _ranks(model: ResidentModel) -> dict[str, str]:
    """What is shown of a model that several processes compute; nothing of any other."""
    if not model.ranks:
        return {}
    off = "drafts, pictures, adapters and prefixes on disk are off"
    ranks = {f"Rank {one.rank}": rank_text(one) for one in model.ranks}
    return {"Ranks": f"{len(model.ranks)}, so {off}"} | ranks
