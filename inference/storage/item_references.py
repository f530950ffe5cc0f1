"""Stored items by their ids, wherever they are kept."""

from collections.abc import Sequence
from typing import Any

from inference.storage.conversation_store import Conversations
from inference.storage.response_store import Stored


def find_items(owner: str, item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of these items that are in the responses and conversations of one principal, by their ids."""
    return {**Conversations(owner).find_items(item_ids), **Stored(owner).items(item_ids)}
