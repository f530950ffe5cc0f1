"""Whether a model fits this server's memory, by the pool's own prediction: it need not be here yet."""

from typing import Literal

from msgspec import Struct

from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit
from inference.core.units import in_gb
from inference.serving import runtime

_LEAST_CONTEXT = 1024  # tokens; with fewer there is no conversation

Outcome = Literal["fits", "fits_alone", "fits_shorter", "too_large"]


class Verdict(Struct, frozen=True, kw_only=True):
    """What of a model fits: its whole context now, once others are unloaded, a part of it, or nothing."""

    outcome: Outcome
    needed_bytes: int  # for the weights and one chunk of prefill
    limit_bytes: int  # for all models together
    context_length: int
    context_now: int
    context_alone: int

    @property
    def text(self) -> str:
        """The verdict as a sentence."""
        match self.outcome:
            case "fits":
                return f"Fits, with its whole context of {self.context_length:,} tokens."
            case "fits_alone":
                return (
                    f"Fits alone, with its whole context of {self.context_length:,} tokens; {self._beside}."
                )
            case "fits_shorter":
                beside = "" if self.context_now == self.context_alone else f"; {self._beside}"
                return (
                    f"Fits with a context of {self.context_alone:,} of its {self.context_length:,} "
                    f"tokens{beside}."
                )
        needed, limit = in_gb(self.needed_bytes), in_gb(self.limit_bytes)
        return f"Does not fit: it needs {needed}, and {limit} are for models."

    @property
    def _beside(self) -> str:
        if self.context_now < _LEAST_CONTEXT:
            return "other models are unloaded"
        return f"beside the models in memory, with {self.context_now:,}"


def of(*cards: ModelCard) -> list[Verdict]:
    """The verdict of each of these models, beside what is in memory now."""
    pool = runtime.pool()
    limit = pool.snapshot().limit_bytes
    return [_verdict(card, fit, limit) for card, fit in zip(cards, pool.context_fits(*cards), strict=True)]


def _verdict(card: ModelCard, fit: ContextFit, limit: int) -> Verdict:
    return Verdict(
        outcome=_outcome(card, fit),
        needed_bytes=card.load_bytes,
        limit_bytes=limit,
        context_length=card.context_length,
        context_now=fit.now,
        context_alone=fit.alone,
    )


def _outcome(card: ModelCard, fit: ContextFit) -> Outcome:
    if fit.now >= card.context_length:
        return "fits"
    if fit.alone >= card.context_length:
        return "fits_alone"
    return "fits_shorter" if fit.alone >= _LEAST_CONTEXT else "too_large"
