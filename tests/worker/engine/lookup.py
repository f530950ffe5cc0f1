"""Batches that always verify what drafts they have, and sequences whose predictions are right in part."""

from collections.abc import Sequence as Tokens
from dataclasses import replace
from typing import Any

import mlx.nn as nn

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.speculation.costs import StepCosts
from tests.worker.models import run, tokens


class FreeWidth(StepCosts):
    """Costs of a machine on which wide steps cost the same as plain ones, so that every draft is verified."""

    def plain(self, rows: int) -> float | None:
        return 1.0

    def verified(self, rows: int, width: int, plain: float) -> float:
        return 1.0

    @property
    def may_speculate(self) -> bool:
        return True


def eager_batch(model: nn.Module, **options: Any) -> Batch:
    """A batch that verifies every draft."""
    batch = Batch(model, **({"max_batch": 16, "prefill_step": 64, "speculates": True} | options))
    speculation = batch._main._speculation  # type: ignore[attr-defined]
    speculation.costs = FreeWidth()
    return batch


def plain_batch(model: nn.Module, **options: Any) -> Batch:
    return Batch(model, **({"max_batch": 16, "prefill_step": 64} | options))


def predicted(
    model: nn.Module, one: Sequence, *, wrong_every: int = 7, generated: list[Sampled] | None = None
) -> Sequence:
    """The sequence with its own answer as its prediction, in which some tokens are wrong.

    Where the test has the answer, which is `generated`, it is not computed again.
    """
    if generated is None:
        batch = plain_batch(model)
        batch.add(one)
        generated = run(batch)[one.id]
    answer = tokens(generated)
    wrong = [(token + 1) % 250 if place % wrong_every == 4 else token for place, token in enumerate(answer)]
    return replace(one, speculates=True, prediction=tuple(wrong))


def drafted(generated: Tokens[Sampled]) -> int:
    return sum(sampled.draft.drafted for sampled in generated if sampled.draft)


def accepted(generated: Tokens[Sampled]) -> int:
    return sum(sampled.draft.accepted for sampled in generated if sampled.draft)
