"""What one request takes of its key's day: counted token by token, so that many share what is left."""

from collections.abc import Iterator

from inference.accounts.rate_limits import UsageMeter
from inference.core.errors import RateLimited
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from inference.core.principal import Allowance


class TokenQuota:
    """One request of a key; `note` is called for every token, so it does next to nothing."""

    def __init__(self, meter: UsageMeter, allowance: Allowance) -> None:
        self._meter = meter
        self._most = allowance.tokens_per_day
        self._prompt = self._reasoning = self._completion = 0
        self._ended: set[int] = set()
        self.is_spent = False  # the day's tokens ended with what was noted last

    def note(self, event: Event) -> None:
        """Count it; RateLimited for a prompt longer than what the day has left."""
        match event:
            case TextDelta(tokens=tokens) | ToolCallDelta(tokens=tokens):
                self._make(tokens)
            case ReasoningDelta(tokens=tokens):
                self._reasoning += tokens
                self._make(tokens)
            case Accepted(prompt_tokens=tokens):
                self._check_prompt(tokens)
                self._prompt = tokens
                self._meter.spend(tokens)
            case Ended(index=index):
                self._ended.add(index)
            case Finished(usage=usage):
                said = usage.prompt_tokens + usage.completion_tokens
                self._meter.spend(said - self._prompt - self._completion)

    def cut(self, answers: int) -> Iterator[Event]:
        """The end of a request whose key has no tokens left: what there is of its answers, cut off."""
        for index in range(answers):
            if index not in self._ended:
                yield Ended(reason="length", index=index)
        usage = Usage(
            prompt_tokens=self._prompt,
            completion_tokens=self._completion,
            reasoning_tokens=self._reasoning,
        )
        yield Finished(usage=usage)

    def _make(self, tokens: int) -> None:
        self._completion += tokens
        self._meter.spend(tokens)
        self.is_spent = self._most is not None and self._meter.tokens >= self._most

    def _check_prompt(self, tokens: int) -> None:
        if self._most is None or self._meter.tokens + tokens <= self._most:
            return
        left = max(0, self._most - self._meter.tokens)
        raise RateLimited(
            f"This API key has {left} of its {self._most} tokens of today left, fewer than this prompt's "
            f"{tokens}; there are more after midnight UTC.",
            retry_after=self._meter.rest_of_day,
        )
