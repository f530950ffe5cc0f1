"""Jobs for tiny models."""

from pathlib import Path
from typing import Any

from inference.core.quantisation import QuantisationJob, QuantisationSettings
from inference.repository import card_reader
from inference.repository.card_reader import make_card
from inference.repository.quantising.plan import QuantisationPlan, QuantisingMachine, make_plan


def plan_of(folder: Path, settings: QuantisationSettings, **more: Any) -> QuantisationPlan:
    """The plan that the site would make for a model folder."""
    card = make_card(folder.name, folder, "folder", card_reader.Machine(dequantises=True))
    machine = QuantisingMachine(models_dir=folder.parent, dequantises=True, device="cpu")
    return make_plan(card, settings, machine, **more)


def job_of(folder: Path, **more: Any) -> QuantisationJob:
    settings = QuantisationSettings(
        bits=more.pop("bits", 4), recipe=more.pop("recipe", ""), group_size=more.pop("group_size", 32)
    )
    return plan_of(folder, settings, **more).job
