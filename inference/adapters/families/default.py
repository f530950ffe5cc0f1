"""Any model that no other adapter fits: its own files and its chat template decide."""

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts


class Default(Adapter):
    name = "default"

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return True
