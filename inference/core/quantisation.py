"""Quantising a model: what is wanted, and what came of it."""

from msgspec import Struct

from inference.core.conversion import ConversionEnding, ConversionJob, ConversionProgress

BITS = (8, 6, 5, 4)
GROUP_SIZES = (64, 32, 128)
RECIPES = ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6")  # of mlx_lm/convert.py
REPORT_FILE = "quantisation.json"  # in the folder of a model that was quantised here
JOB_FILE = ".quantising"  # in the draft of one that is being made


class QuantisationSettings(Struct, frozen=True, kw_only=True):
    """The bits of a number, or a recipe in their place; and how many numbers share a scale."""

    bits: int = 4
    recipe: str = ""
    group_size: int = 64

    @property
    def label(self) -> str:
        """What a model's name gets behind it, such as `4bit`."""
        return self.recipe or f"{self.bits}bit"

    @property
    def text(self) -> str:
        what = f"the recipe {self.recipe}" if self.recipe else f"{self.bits} bits"
        return f"{what}, groups of {self.group_size}"


class QuantisationJob(ConversionJob, frozen=True, kw_only=True):
    """What the process is given. `measures` is whether it measures the perplexity of both models."""

    settings: QuantisationSettings
    needed_disk_bytes: int
    measures: bool = True
    device: str = "auto"
    blas: str = ""


class Perplexity(Struct, frozen=True, kw_only=True):
    """The perplexity of one model on one text, and the standard error of it."""

    value: float
    error: float


class PerplexityComparison(Struct, frozen=True, kw_only=True):
    """Both models on the text that ships; `tokens` are those that were predicted."""

    text: str
    tokens: int
    window: int
    before: Perplexity
    after: Perplexity


class QuantisationReport(Struct, frozen=True, kw_only=True):
    """What is kept in the folder of the new model; `problem` is why it has no comparison, if it should."""

    source: str
    settings: QuantisationSettings
    source_bytes: int
    bytes: int
    bits_per_weight: float
    perplexity: PerplexityComparison | None = None
    problem: str = ""
    mlx_lm: str = ""  # its version


QuantisationLine = ConversionProgress | ConversionEnding[QuantisationReport]
