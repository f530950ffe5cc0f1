"""Which addresses answer, and for how long those that failed are left alone."""

from dataclasses import dataclass

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


@dataclass
class Health:
    """The health of one address; times are those of a monotonic clock.

    The first failure costs no pause: the connection may only have been closed for being idle. From the second
    in a row on an address rests for 1 second, then for twice as long each time, 60 seconds at most.
    """

    failures: int = 0  # in a row
    retry_at: float = 0.0
    reason: str = ""  # of the last failure; empty while it answers
    has_answered: bool = False
    streams: int = 0  # of this site

    def is_resting(self, now: float) -> bool:
        return now < self.retry_at

    def note_answer(self) -> None:
        self.failures, self.retry_at, self.reason, self.has_answered = 0, 0.0, "", True

    def note_failure(self, now: float, reason: str) -> None:
        """Count a failure; one while it rests, of a stream that began before, makes no pause longer."""
        self.reason = reason
        if self.is_resting(now):
            return
        self.failures += 1
        if self.failures > 1:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self.failures - 2))
            self.retry_at = now + pause

    def note_busy(self, now: float, pause_s: float) -> None:
        """Leave it alone for as long as it asks for; that is no failure."""
        self.retry_at, self.reason = max(self.retry_at, now + pause_s), "it is busy"

    def status_text(self, now: float) -> str:
        """Its state as a text for the operator."""
        if self.reason:
            wait = max(0, round(self.retry_at - now))
            again = f"asked again in {wait} s" if wait else "the next request asks it again"
            return f"failing: {self.reason}; {again}"
        if not self.has_answered:
            return "not asked yet"
        return f"answers, {self.streams} in progress" if self.streams else "answers"
