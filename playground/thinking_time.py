"""For how long an answer has thought: from each first piece of reasoning to what follows it."""

import time

from inference.core.events import Ended, Event, Finished, ReasoningDelta, TextDelta, ToolCallDelta


class ThinkingTime:
    """The seconds of reasoning in the events of one answer, which may reason several times."""

    def __init__(self, before: float = 0.0) -> None:
        """`before` are the seconds that an answer had thought before it was continued."""
        self._seconds = before
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds so far; they grow while the latest text is reasoning."""
        return self._seconds + (time.monotonic() - self._since if self._since is not None else 0.0)

    def note(self, event: Event) -> None:
        """Start the clock at reasoning and stop it at text, at a call, and at the end."""
        match event:
            case ReasoningDelta() if self._since is None:
                self._since = time.monotonic()
            case TextDelta() | ToolCallDelta() | Ended() | Finished():
                self.stop()

    def stop(self) -> None:
        """Stop the clock; without effect if it does not run."""
        self._seconds, self._since = self.seconds, None
