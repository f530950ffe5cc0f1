"""Models to begin with: a short dated list that ships with the server, and which of them fit its memory."""

from dataclasses import dataclass
from datetime import date

from inference.serving import runtime

AS_OF = date(2026, 11, 29)
_FP32_BITS = 32.0
_HEADROOM = 1.2  # for activations and the KV caches of conversations, beside the weights


@dataclass(frozen=True)
class SuggestedModel:
    """A repository of the hub, with what its model card says."""

    id: str
    parameters: int
    verdict: str
    bits: float = 4.5  # of each weight as stored: 4, and a scale and a bias of 16 for each group of 64

    @property
    def download_bytes(self) -> int:
        """About so many bytes are downloaded."""
        return int(self.parameters * self.bits / 8)

    def needed_bytes(self, *, dequantises: bool) -> int:
        """About so much memory is needed to chat with it."""
        return int(self.parameters * (_FP32_BITS if dequantises else self.bits) / 8 * _HEADROOM)


SUGGESTED = (
    SuggestedModel("mlx-community/Qwen3-0.6B-4bit", 596_000_000, "Tiny: to try things out"),
    SuggestedModel("mlx-community/Llama-3.2-1B-Instruct-4bit", 1_236_000_000, "Small and very quick"),
    SuggestedModel("mlx-community/Llama-3.2-3B-Instruct-4bit", 3_213_000_000, "Quick, for short texts"),
    SuggestedModel(
        "mlx-community/Qwen3-4B-Instruct-2507-4bit", 4_022_000_000, "Good for its size, uses tools"
    ),
    SuggestedModel("mlx-community/Qwen3-8B-4bit", 8_191_000_000, "All-round, thinks before it answers"),
    SuggestedModel("mlx-community/Qwen3-14B-4bit", 14_768_000_000, "Stronger, at half the speed"),
    SuggestedModel("mlx-community/Mistral-Small-24B-Instruct-2501-4bit", 23_572_000_000, "Strong writer"),
    SuggestedModel(
        "mlx-community/Qwen3-30B-A3B-Instruct-2507-4bit", 30_532_000_000, "Strong and quick: 3B are active"
    ),
    SuggestedModel("mlx-community/Llama-3.3-70B-Instruct-4bit", 70_554_000_000, "Strongest here, and slow"),
)
_MOST_SHOWN = 4


def fitting(limit_bytes: int, *, dequantises: bool) -> list[SuggestedModel]:
    """The suggestions that fit so much memory: the largest of them, smallest first."""
    fit = [model for model in SUGGESTED if model.needed_bytes(dequantises=dequantises) <= limit_bytes]
    return sorted(fit, key=lambda model: model.download_bytes)[-_MOST_SHOWN:]


def for_this_server() -> list[SuggestedModel]:
    """The suggestions that fit this server's memory for models."""
    return fitting(runtime.pool().snapshot().limit_bytes, dequantises=runtime.dequantises())
