"""A catalog of one folder, looked at once, and a clock for those that look again."""

import json
from pathlib import Path
from typing import Any

import msgspec

from inference.core.model_card import ModelCard
from inference.repository.catalog import Catalog


class Clock:
    """Seconds that pass on request."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def scan(models: Path, **options: Any) -> dict[str, ModelCard]:
    cards = Catalog(models, **({"use_hub_cache": False} | options)).scan()
    msgspec.json.encode(cards)  # whatever is listed can be sent
    return {card.id: card for card in cards}
