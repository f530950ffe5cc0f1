"""How many drafted tokens were right: of a row in one step, and of a request."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DraftCounts:
    """The drafted and the accepted tokens of one row in one step."""

    drafted: int
    accepted: int
    is_predicted: bool = False  # whether they came from the request's own prediction


@dataclass
class DraftTotals:
    """The drafted and the accepted tokens of one request."""

    drafted: int = 0
    accepted: int = 0
    predicted: int = 0  # drafted tokens that came from the request's own prediction
    accepted_predicted: int = 0

    def add(self, counts: DraftCounts | None) -> None:
        """Add those of a step; None for a step without a draft."""
        if counts is None:
            return
        self.drafted += counts.drafted
        self.accepted += counts.accepted
        if counts.is_predicted:
            self.predicted += counts.drafted
            self.accepted_predicted += counts.accepted
