"""The figures of an answer: its tokens and seconds, also where it was stopped, and where it was continued."""

import time
from collections.abc import Mapping
from typing import Any

from inference.core.events import (
    Accepted,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)

_SUMS = ("tokens", "reasoning_tokens", "drafted_tokens", "accepted_tokens", "total_s")
_OF_THE_FIRST = ("prompt_tokens", "cached_tokens", "first_token_s")


class AnswerFigures:
    """Counts one run of an answer. `before` has the figures of its earlier runs, where it is continued."""

    def __init__(self, before: Mapping[str, Any] | None, *, is_continued: bool) -> None:
        self._before = before
        self._is_continued = is_continued
        self._started_at = time.monotonic()
        self._first_at: float | None = None
        self._last_at = 0.0
        self._prompt_tokens = self._cached_tokens = self._tokens = self._reasoning_tokens = 0

    def note(self, event: Event) -> None:
        """Count the tokens of an event."""
        match event:
            case Accepted(prompt_tokens=total):
                self._prompt_tokens = total
            case Progress(phase="prefill", cached=cached):
                self._cached_tokens = cached
            case ReasoningDelta(tokens=tokens):
                self._reasoning_tokens += tokens
                self._note_tokens(tokens)
            case TextDelta(tokens=tokens) | ToolCallDelta(tokens=tokens):
                self._note_tokens(tokens)

    def finished(self, event: Finished, reason: str) -> dict[str, Any]:
        """The figures of an answer that reached its end, as its worker counted them."""
        tokens, decode_s = event.usage.completion_tokens, event.timings.decode_s
        return self._with_earlier(
            {
                "tokens": tokens,
                "reasoning_tokens": event.usage.reasoning_tokens,
                "prompt_tokens": event.usage.prompt_tokens,
                "cached_tokens": event.usage.cached_tokens,
                "drafted_tokens": event.usage.drafted_tokens,
                "accepted_tokens": event.usage.accepted_tokens,
                "per_second": _rate(tokens, decode_s),
                **self._seconds(),
                "reason": reason,
            }
        )

    def ended_early(self, reason: str) -> dict[str, Any] | None:
        """The figures of an answer that was stopped or failed, as counted here.

        Where this run brought no token, those of its earlier runs.
        """
        if self._first_at is None:
            return dict(self._before) if self._before else None
        return self._with_earlier(
            {
                "tokens": self._tokens,
                "reasoning_tokens": self._reasoning_tokens,
                "prompt_tokens": self._prompt_tokens,
                "cached_tokens": self._cached_tokens,
                "drafted_tokens": 0,
                "accepted_tokens": 0,
                "per_second": _rate(self._tokens, self._last_at - self._first_at),
                **self._seconds(),
                "reason": reason,
            }
        )

    def _note_tokens(self, tokens: int) -> None:
        self._tokens += tokens
        self._last_at = time.monotonic()
        self._first_at = self._first_at or self._last_at

    def _seconds(self) -> dict[str, float | None]:
        first_s = None if self._first_at is None else self._first_at - self._started_at
        return {"first_token_s": first_s, "total_s": time.monotonic() - self._started_at}

    def _with_earlier(self, figures: dict[str, Any]) -> dict[str, Any]:
        """The figures of all runs: sums, the prompt of the first run, and the finish reason of the last."""
        if not self._is_continued:
            return figures
        before = self._before or {}
        sums = {name: _number(before, name) + figures[name] for name in _SUMS}
        first = {name: before[name] for name in _OF_THE_FIRST if name in before}
        counts = {"per_second": _mean_rate(before, figures), "continued": _number(before, "continued") + 1}
        return {**figures, **sums, **first, **counts}


def _rate(tokens: int, seconds: float) -> float | None:
    return tokens / seconds if tokens > 1 and seconds > 0 else None


def _mean_rate(*runs: Mapping[str, Any]) -> float | None:
    """Tokens per second over the runs whose rate is known."""
    known = [(_number(run, "tokens"), _number(run, "per_second")) for run in runs]
    known = [(tokens, rate) for tokens, rate in known if tokens > 0 and rate > 0]
    seconds = sum(tokens / rate for tokens, rate in known)
    return sum(tokens for tokens, _ in known) / seconds if known else None


def _number(figures: Mapping[str, Any], name: str) -> Any:
    """A figure; 0 where it is missing, or where an imported file has no number there."""
    value = figures.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
