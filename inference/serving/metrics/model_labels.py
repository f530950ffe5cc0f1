"""The values of the label `model`: a bounded number, none of which a client can make up."""

from typing import Final

from inference.core.model_card import ModelCard

MOST_MODELS: Final = 64
OTHER: Final = "other"  # a model beyond the first MOST_MODELS
UNKNOWN: Final = "unknown"  # a name that no model has


class ModelLabels:
    """Gives each model its id as label, up to `most` models in the life of the process.

    Prometheus keeps a time series for each value that a label has ever had, so the number is bounded here.
    """

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._given: set[str] = set()

    def of_card(self, card: ModelCard | None) -> str:
        """The label of the model that a request has named: also by an alias, or by one of its adapters."""
        return self.of_id(card.id) if card else UNKNOWN

    def of_id(self, model_id: str) -> str:
        """The label of a model that exists, by its own id."""
        if model_id not in self._given:
            if len(self._given) >= self._most:
                return OTHER
            self._given.add(model_id)
        return model_id
