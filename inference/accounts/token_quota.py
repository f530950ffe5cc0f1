"""The daily token quota of a key or account, charged by each request token by token."""

from collections.abc import Iterator

from inference.accounts.usage_meter import UsageMeter
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
    """The share of one request; it observes the request's events."""

    def __init__(self, meter: UsageMeter, allowance: Allowance) -> None:
        self._meter = meter
        self._limit = allowance.tokens_per_day
        self._prompt = self._reasoning = self._completion = 0
        self._ended: set[int] = set()
        self.is_spent = False  # the last event used up the day's tokens

    def note(self, event: Event) -> None:
        """Charge the tokens of an event; raises RateLimited for a prompt longer than what is left."""
        match event:
            case TextDelta(tokens=tokens) | ToolCallDelta(tokens=tokens):
                self._charge(tokens)
            case ReasoningDelta(tokens=tokens):
                self._reasoning += tokens
                self._charge(tokens)
            case Accepted(prompt_tokens=tokens):
                self._check_prompt(tokens)
                self._prompt = tokens
                self._meter.spend(tokens)
            case Ended(index=index):
                self._ended.add(index)
            case Finished(usage=usage):
                total = usage.prompt_tokens + usage.completion_tokens
                self._meter.spend(total - self._prompt - self._completion)

    def cut(self, answers: int) -> Iterator[Event]:
        """The last events of a request whose key or account has no tokens left: its answers are cut off."""
        for index in range(answers):
            if index not in self._ended:
                yield Ended(reason="length", index=index)
        usage = Usage(
            prompt_tokens=self._prompt,
            completion_tokens=self._completion,
            reasoning_tokens=self._reasoning,
        )
        yield Finished(usage=usage)

    def _charge(self, tokens: int) -> None:
        self._completion += tokens
        self._meter.spend(tokens)
        self.is_spent = self._limit is not None and self._meter.tokens >= self._limit

    def _check_prompt(self, tokens: int) -> None:
        if self._limit is None or self._meter.tokens + tokens <= self._limit:
            return
        left = max(0, self._limit - self._meter.tokens)
        raise RateLimited(
            f"This {self._meter.holder} has {left} of its {self._limit} tokens of today left, fewer than "
            f"this prompt's {tokens}; there are more after midnight UTC.",
            retry_after=self._meter.rest_of_day,
        )
