"""The pinned models as the pool last knew them."""

from inference.core.model_card import ModelCard
from inference.pool.residency.records import PoolRecords


class Pins:
    """Notes which models are pinned, and records each change."""

    def __init__(self, records: PoolRecords) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._known: set[str] = set()

    def add(self, model_id: str) -> None:
        """Note a model that was pinned before the site started."""
        self._known.add(model_id)

    def update(self, card: ModelCard) -> None:
        """Compare a model's card with what was known of it, and record a change."""
        resident = self._ledger.of(card.id)
        was_pinned = card.id in self._known or (resident is not None and resident.card.is_pinned)
        if card.is_pinned and not was_pinned:
            self._known.add(card.id)
            text = f"pinned {card.id}: it stays in memory; {self._ledger}"
            self._decisions.record("pinned", card.id, text)
        if was_pinned and not card.is_pinned:
            self._known.discard(card.id)
            self._decisions.record(
                "unpinned", card.id, f"unpinned {card.id}: it may be evicted when it idles"
            )
