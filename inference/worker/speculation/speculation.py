"""What the rows of one lane share: measured costs, acceptance rates and the drafter of each row."""

from inference.worker.speculation.acceptance import Acceptance
from inference.worker.speculation.costs import StepCosts
from inference.worker.speculation.draft_model import DraftModel
from inference.worker.speculation.drafter import Drafter
from inference.worker.speculation.drafting_costs import DraftingCosts


class Speculation:
    """The state of speculation in one lane. Used on the engine's thread only."""

    def __init__(self, draft_model: DraftModel | None = None) -> None:
        self.draft_model = draft_model
        self.drafting_costs = DraftingCosts()
        self.drafting_s = 0.0  # that the draft model took before the step that comes
        self.costs = StepCosts()
        self.acceptance = Acceptance()
        self.drafters: dict[int, Drafter] = {}  # by the uid of their row; rows without one never draft
        self.is_interrupted = False  # whether something else was computed since the last step
        self.is_prefilling = False  # whether prompts are, in the step that comes

    def forget(self, uid: int) -> None:
        """Drop what is known of a row that has ended."""
        self.drafters.pop(uid, None)
        if self.draft_model:
            self.draft_model.forget(uid)
