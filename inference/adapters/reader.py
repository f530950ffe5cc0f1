"""Splits an answer's text into its channels: the same code for a streamed and a whole answer."""

from dataclasses import dataclass
from typing import Literal

Channel = Literal["text", "reasoning"]


@dataclass(frozen=True)
class Piece:
    """Some text of one channel."""

    channel: Channel
    text: str


def held_back(text: str, marker: str) -> int:
    """How many characters at the end of `text` could be the beginning of `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if marker.startswith(text[-n:])), 0)


class Reader:
    """Feed it text in any pieces; each channel's joined pieces do not depend on how it was cut.

    Text that could be the beginning of a marker is held back until it is known. An answer that ends
    inside its reasoning is all reasoning: nothing is lost, and nothing thought is shown as the answer.
    """

    def __init__(self, *, reasoning: tuple[str, str] | None = None, starts_inside: bool = False) -> None:
        self._markers = reasoning
        self._channel: Channel = "reasoning" if starts_inside else "text"
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        """What is certain by now of the text so far."""
        if not self._markers:
            return self._piece(text)
        pieces: list[Piece] = []
        rest = self._held + text
        while (marker := self._next_marker()) in rest:
            before, _, rest = rest.partition(marker)
            pieces += self._piece(before)
            self._channel = "text" if self._channel == "reasoning" else "reasoning"
        keep = held_back(rest, marker)
        self._held = rest[len(rest) - keep :]
        return pieces + self._piece(rest[: len(rest) - keep])

    def flush(self) -> list[Piece]:
        """The rest: what looked like the beginning of a marker was text after all."""
        rest, self._held = self._held, ""
        return self._piece(rest)

    def _next_marker(self) -> str:
        opening, closing = self._markers or ("", "")
        return closing if self._channel == "reasoning" else opening

    def _piece(self, text: str) -> list[Piece]:
        return [Piece(self._channel, text)] if text else []
