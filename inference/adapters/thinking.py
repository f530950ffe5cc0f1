"""How a chat template is asked to think or not, and what is left to be enforced while the answer is decoded.

Templates have different variables for it: `enable_thinking` (Qwen 3, GLM, SmolLM 3), `thinking` (DeepSeek
V3.1, Granite), `reasoning_effort` (gpt-oss). What a template does not know becomes a limit on the reasoning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inference.core.requests import ChatRequest

SWITCHES = frozenset({"enable_thinking", "thinking"})
EFFORT = "reasoning_effort"
# Of the answer's tokens; OpenRouter has the same shares (https://openrouter.ai/docs/use-cases/reasoning-tokens).
_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95}
KNOWN_EFFORTS = ("low", "medium", "high")  # those that every template with the variable knows
_NEAREST = {"minimal": "low", "xhigh": "high", "max": "high"}


@dataclass(frozen=True)
class ReasoningMarkers:
    """What surrounds the reasoning in an answer, and what has to follow it before the answer's text."""

    opening: str
    closing: str
    following: str = ""


@dataclass(frozen=True)
class ThinkingPlan:
    """What one request's wishes about thinking mean for one model."""

    options: Mapping[str, bool | int | float | str] = field(default_factory=dict)  # variables of the template
    budget: int | None = None  # most tokens of reasoning; None: no limit
    share: float | None = None  # most reasoning, of all tokens that the answer may have
    noted: tuple[str, ...] = ()  # fields that this model has no use for

    def limit(self, max_tokens: int) -> int | None:
        """Most tokens of reasoning in an answer of at most `max_tokens`; None for no limit."""
        limits = [
            *([] if self.budget is None else [self.budget]),
            *([] if self.share is None else [int(self.share * max_tokens)]),
        ]
        return min(limits, default=None)


def plan(request: ChatRequest, template: str, variables: frozenset[str], *, can_reason: bool) -> ThinkingPlan:
    """How to follow a request: by variables where the template has them, and by limits elsewhere."""
    is_off = request.thinking is False or (request.effort == "none" and request.thinking is None)
    options: dict[str, bool | int | float | str] = {}
    if is_off or request.thinking:
        options |= dict.fromkeys(SWITCHES & variables, not is_off)
    knows_effort = EFFORT in variables
    if knows_effort and (effort := _effort_for(request.effort, template)):
        options[EFFORT] = effort
    if not can_reason:
        return ThinkingPlan(options, noted=_unused(request, options))
    has_share = request.effort in _SHARES and not knows_effort and not is_off
    return ThinkingPlan(
        options,
        budget=0 if is_off else request.thinking_budget,
        share=_SHARES[request.effort] if has_share else None,
    )


def _effort_for(effort: str, template: str) -> str:
    """The effort in a word that the template knows; empty where it knows none for it."""
    is_literal = bool(effort) and (f"'{effort}'" in template or f'"{effort}"' in template)
    if is_literal or effort in KNOWN_EFFORTS:
        return effort
    return _NEAREST.get(effort, "")


def _unused(request: ChatRequest, options: Mapping[str, object]) -> tuple[str, ...]:
    """The fields that ask a model to reason which does not; to ask it not to is what it does anyway."""
    wishes = {
        "enable_thinking": bool(request.thinking) and not (SWITCHES & options.keys()),
        EFFORT: request.effort not in ("", "none") and EFFORT not in options,
        "thinking_budget": bool(request.thinking_budget),
    }
    return tuple(name for name, is_unused in wishes.items() if is_unused)
