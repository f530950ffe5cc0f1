"""What the benchmarks measure: one answer with its times, and a round of requests that were sent together."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace


class IncompleteAnswer(Exception):
    """The server sent no complete answer; the message says what it sent. `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class TimedAnswer:
    """One answered request; times are seconds of `time.perf_counter`."""

    sent: float
    begun: float  # when the stream began: our server accepts the request before that
    ended: float
    pieces: tuple[float, ...]  # when each piece of text arrived
    tokens: int  # as the server counts them; pieces of text if it does not
    prompt_tokens: int
    cached_tokens: int
    text: str = ""
    is_counted: bool = True  # by the server
    is_recounted: bool = False  # by our tokenizer

    @property
    def first(self) -> float:
        return self.pieces[0] if self.pieces else self.ended

    @property
    def first_after_s(self) -> float:
        return self.first - self.sent


@dataclass(frozen=True)
class AnswerRound:
    """Requests that were sent together, with their answers and failures."""

    answers: tuple[TimedAnswer, ...]
    failures: tuple[str, ...] = field(default=())

    @property
    def tokens(self) -> int:
        return sum(answer.tokens for answer in self.answers)

    @property
    def request_rate(self) -> float | None:
        """Tokens per second in total, from the first request to the end of the last answer."""
        if not self.answers:
            return None
        sent, ended = min(a.sent for a in self.answers), max(a.ended for a in self.answers)
        return self.tokens / (ended - sent)

    @property
    def decode_rate(self) -> float | None:
        """Tokens per second in total after the first token, so that prompts count less."""
        if self.tokens < 2:
            return None
        first, ended = min(a.first for a in self.answers), max(a.ended for a in self.answers)
        return (self.tokens - 1) / (ended - first) if ended > first else None

    def counted(self, count: Callable[[str], int]) -> "AnswerRound":
        """The same with the tokens of each text counted where the server has not done so."""
        answers = [
            one if one.is_counted else replace(one, tokens=count(one.text), is_recounted=True)
            for one in self.answers
        ]
        return replace(self, answers=tuple(answers))

    def failure_notes(self, server: str) -> list[str]:
        """A note about failed requests; an empty list if there are none."""
        total = len(self.answers) + len(self.failures)
        if not self.failures:
            return []
        reasons = ", ".join(dict.fromkeys(self.failures))
        return [f"{server}: {len(self.failures)} of {total} requests failed ({reasons})"]

    def notes(self, server: str) -> list[str]:
        """Notes about failed requests, and about tokens that the server does not count."""
        uncounted = [answer for answer in self.answers if not answer.is_counted]
        if not uncounted:
            return self.failure_notes(server)
        way = "with our tokenizer" if all(one.is_recounted for one in uncounted) else "as pieces of text"
        return [f"{server}: it reports no usage, tokens are counted {way}", *self.failure_notes(server)]
