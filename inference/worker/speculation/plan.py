"""How wide the next step is: the width with the most tokens per second, by costs and drafts so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.worker.speculation.acceptance import expected_tokens
from inference.worker.speculation.costs import StepCosts
from inference.worker.speculation.drafter import Draft

WIDTHS = (2, 3, 5, 9, 16)  # few, so that each is measured soon
MAX_DRAFT = WIDTHS[-1] - 1
_MAX_TOKENS = 128  # of all rows in one step: each has a row of logits
_MARGIN = 1.1  # a verified step must promise so much more than a plain one


@dataclass(frozen=True)
class DraftPlan:
    """A step of this width, which promises so many tokens per second of all rows."""

    width: int = 1  # 1: a plain step
    speed: float = 0.0


def _no_seconds(count: int) -> float:
    return 0.0


def best_plan(
    drafts: Sequence[Draft],
    costs: StepCosts,
    *,
    is_guess: bool = False,
    drafting_s: Callable[[int], float] = _no_seconds,
) -> DraftPlan:
    """The plan that promises most.

    `is_guess`: the drafts begin with a token that has been sampled but is not known yet. `drafting_s` are the
    seconds that a draft of so many tokens still takes.
    """
    rows = len(drafts)
    plain = costs.plain(rows)
    if plain is None or not costs.may_speculate:
        return DraftPlan()
    longest = max(len(draft.tokens) for draft in drafts)
    best = DraftPlan(1, _MARGIN * rows / plain)
    for width in WIDTHS:
        if width > longest + 1 or rows * width > _MAX_TOKENS:
            break
        tokens = sum(_expected(draft, width - 1, is_guess=is_guess) for draft in drafts)
        speed = tokens / (costs.verified(rows, width, plain) + drafting_s(width - 1))
        if speed > best.speed:
            best = DraftPlan(width, speed)
    return best


def _expected(draft: Draft, drafted: int, *, is_guess: bool) -> float:
    count = min(len(draft.tokens), drafted)
    if not count:
        return 1.0
    return 1.0 + expected_tokens(draft.rate, count) * (draft.rate if is_guess else 1.0)
