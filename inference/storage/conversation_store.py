"""Stored conversations, each visible to its owner only. Everything here is synchronous."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from msgspec import Struct

from inference.core.errors import InvalidValue, NotFound
from inference.models import ConversationItem, StoredConversation
from inference.storage.response_retention import oldest

MOST_ITEMS = 10_000


class ConversationRecord(Struct, frozen=True):
    """One conversation without its items; `created_at` is in seconds since 1970."""

    id: str
    created_at: int
    metadata: dict[str, str]


class Conversations:
    """The conversations of one principal, by its `owner`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    @transaction.atomic
    def create(
        self, conversation_id: str, metadata: Mapping[str, str], items: Sequence[Mapping[str, Any]]
    ) -> ConversationRecord:
        made = StoredConversation.objects.create(
            id=conversation_id, owner=self._owner, metadata=dict(metadata)
        )
        _append(made, items)
        return _facts(made)

    def find(self, conversation_id: str) -> ConversationRecord:
        """Raises NotFound, also for those of others."""
        return _facts(self._find(conversation_id))

    def update(self, conversation_id: str, metadata: Mapping[str, str]) -> ConversationRecord:
        """Replace its metadata; raises NotFound."""
        found = self._find(conversation_id)
        found.metadata = dict(metadata)
        found.save()
        return _facts(found)

    def delete(self, conversation_id: str) -> None:
        """Delete it with its items; stored responses keep their own copies. Raises NotFound."""
        self._find(conversation_id).delete()

    def items(self, conversation_id: str, param: str | None = None) -> list[dict[str, Any]]:
        """All of its items, the oldest first; raises NotFound."""
        rows = self._find(conversation_id, param).items.all()
        return [row.fields for row in rows]

    @transaction.atomic
    def add(self, conversation_id: str, items: Sequence[Mapping[str, Any]], param: str | None = None) -> None:
        """Append items; raises NotFound, or InvalidValue where the conversation would be too long."""
        found = self._find(conversation_id, param)
        _append(found, items)
        found.save()

    def item(self, conversation_id: str, item_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        fields: dict[str, Any] = self._row(self._find(conversation_id), item_id).fields
        return fields

    def remove(self, conversation_id: str, item_id: str) -> ConversationRecord:
        """Delete one item; raises NotFound."""
        found = self._find(conversation_id)
        self._row(found, item_id).delete()
        found.save()
        return _facts(found)

    def find_items(self, item_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of these items that are in the conversations, by their ids."""
        rows = ConversationItem.objects.filter(
            item_id__in=[item_id[:64] for item_id in item_ids],
            conversation__owner=self._owner,
            conversation__used_at__gte=oldest(),
        )
        return {row.item_id: row.fields for row in rows}

    def _find(self, conversation_id: str, param: str | None = None) -> StoredConversation:
        kept = StoredConversation.objects.filter(owner=self._owner, used_at__gte=oldest())
        found = kept.filter(pk=conversation_id[:64]).first()
        if found is None:
            raise NotFound(
                f"There is no conversation {conversation_id[:64]!r}; it may have been deleted.", param=param
            )
        return found

    def _row(self, conversation: StoredConversation, item_id: str) -> ConversationItem:
        found = conversation.items.filter(item_id=item_id[:64]).first()
        if found is None:
            raise NotFound(f"The conversation has no item {item_id[:64]!r}.")
        return found


def forget_old() -> None:
    """Delete the conversations that were not used for as long as responses are kept."""
    StoredConversation.objects.filter(used_at__lt=oldest()).delete()


def _facts(kept: StoredConversation) -> ConversationRecord:
    return ConversationRecord(kept.id, int(kept.created_at.timestamp()), kept.metadata)


def _append(conversation: StoredConversation, items: Sequence[Mapping[str, Any]]) -> None:
    if conversation.items.count() + len(items) > MOST_ITEMS:
        raise InvalidValue(
            f"A conversation has at most {MOST_ITEMS} items; begin another one.", param="conversation"
        )
    ConversationItem.objects.bulk_create(
        [ConversationItem(item_id=item["id"], conversation=conversation, fields=dict(item)) for item in items]
    )
