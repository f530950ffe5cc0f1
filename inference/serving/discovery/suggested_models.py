"""Models to begin with: a short dated list that ships with the server, and which of them fit its memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from inference.core.model_card import ModelCard
from inference.repository import card_reader
from inference.repository.card_reader import Machine
from inference.repository.discovery import remote_weights
from inference.serving import runtime
from inference.serving.discovery import verdict
from inference.serving.discovery.verdict import Verdict

AS_OF = date(2026, 11, 29)
_MOST_SHOWN = 4


@dataclass(frozen=True)
class SuggestedModel:
    """A repository of the hub, with what its model card and its config.json say."""

    id: str
    remark: str
    download_bytes: int
    context_length: int
    capabilities: tuple[str, ...]
    licence: str
    family: str
    figures: Mapping[str, int]  # of config.json, those that the prediction needs

    def card(self, machine: Machine) -> ModelCard:
        """Its card, as predicted from what is stored here."""
        config: dict[str, Any] = {
            "model_type": self.family,
            "quantization": {"bits": 4, "group_size": 64},
            **self.figures,
        }
        length = min(self.context_length, machine.context_limit or self.context_length)
        weights = remote_weights.stand_in(self.download_bytes, config)
        return card_reader.predicted_card(self.id, config, weights, machine, length)


@dataclass(frozen=True)
class Suggestion:
    """A suggested model, and whether it fits here now."""

    model: SuggestedModel
    verdict: Verdict


def _figures(
    hidden: int, layers: int, heads: int, kv_heads: int, intermediate: int, vocabulary: int, **more: int
) -> Mapping[str, int]:
    """Figures by config.json's names."""
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": intermediate,
        "vocab_size": vocabulary,
        "head_dim": 128,
        **more,
    }


_BOTH, _TOOLS = ("tools", "thinking"), ("tools",)
SUGGESTED = (
    SuggestedModel(
        "mlx-community/Qwen3-0.6B-4bit",
        "Tiny: to try things out",
        *(335_000_000, 40_960, _BOTH, "apache-2.0", "qwen3"),
        _figures(1024, 28, 16, 8, 3072, 151_936),
    ),
    SuggestedModel(
        "mlx-community/Llama-3.2-1B-Instruct-4bit",
        "Small and very quick",
        *(695_000_000, 131_072, _TOOLS, "llama3.2", "llama"),
        _figures(2048, 16, 32, 8, 8192, 128_256, head_dim=64),
    ),
    SuggestedModel(
        "mlx-community/Llama-3.2-3B-Instruct-4bit",
        "Quick, for short texts",
        *(1_807_000_000, 131_072, _TOOLS, "llama3.2", "llama"),
        _figures(3072, 28, 24, 8, 8192, 128_256),
    ),
    SuggestedModel(
        "mlx-community/Qwen3-4B-Instruct-2507-4bit",
        "Good for its size",
        *(2_263_000_000, 262_144, _TOOLS, "apache-2.0", "qwen3"),
        _figures(2560, 36, 32, 8, 9728, 151_936),
    ),
    SuggestedModel(
        "mlx-community/Qwen3-8B-4bit",
        "All-round, thinks before it answers",
        *(4_608_000_000, 40_960, _BOTH, "apache-2.0", "qwen3"),
        _figures(4096, 36, 32, 8, 12_288, 151_936),
    ),
    SuggestedModel(
        "mlx-community/Qwen3-14B-4bit",
        "Stronger, at half the speed",
        *(8_308_000_000, 40_960, _BOTH, "apache-2.0", "qwen3"),
        _figures(5120, 40, 40, 8, 17_408, 151_936),
    ),
    SuggestedModel(
        "mlx-community/Mistral-Small-24B-Instruct-2501-4bit",
        "Strong writer",
        *(13_260_000_000, 32_768, _TOOLS, "apache-2.0", "mistral"),
        _figures(5120, 40, 32, 8, 32_768, 131_072),
    ),
    SuggestedModel(
        "mlx-community/Qwen3-30B-A3B-Instruct-2507-4bit",
        "Strong and quick: 3B are active",
        *(17_175_000_000, 262_144, _TOOLS, "apache-2.0", "qwen3_moe"),
        _figures(2048, 48, 32, 4, 6144, 151_936, moe_intermediate_size=768, num_experts_per_tok=8),
    ),
    SuggestedModel(
        "mlx-community/Llama-3.3-70B-Instruct-4bit",
        "Strongest in this list, and slow",
        *(39_688_000_000, 131_072, _TOOLS, "llama3.3", "llama"),
        _figures(8192, 80, 64, 8, 28_672, 128_256),
    ),
)


def all_with_verdicts() -> list[Suggestion]:
    """The whole list, smallest first, with the verdict of this server at this moment."""
    machine = runtime.machine()
    verdicts = verdict.of(*(model.card(machine) for model in SUGGESTED))
    return [Suggestion(*one) for one in zip(SUGGESTED, verdicts, strict=True)]


def for_this_server() -> list[Suggestion]:
    """The suggestions that fit this server's memory for models: the largest of them, smallest first."""
    fit = [one for one in all_with_verdicts() if one.verdict.outcome != "too_large"]
    return fit[-_MOST_SHOWN:]
