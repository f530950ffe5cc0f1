"""Any model no other adapter is for: its own files and its own template say what to do."""

from inference.adapters.base import Adapter, ModelFacts


class Default(Adapter):
    name = "default"

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return True
