"""What the rows of one lane share: measured costs, acceptance rates and the drafter of each row."""

from inference.worker.speculation.acceptance import Acceptance
from inference.worker.speculation.costs import StepCosts
from inference.worker.speculation.drafter import Drafter


class Speculation:
    """The state of speculation in one lane. Used on the engine's thread only."""

    def __init__(self) -> None:
        self.costs = StepCosts()
        self.acceptance = Acceptance()
        self.drafters: dict[int, Drafter] = {}  # by the uid of their row; rows without one never draft
        self.is_interrupted = False  # whether something else was computed since the last step
