"""Deletion of single messages, alone or with all that follows them, and its undoing."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from playground.message_tree import MessageTree
from playground.models import Conversation, Message
from playground.purge import KEPT_DELETED
from playground.store import ConversationStore

_ROWS = 500  # in one statement
_FIRST = (
    "A chat begins with a question. Delete the answers to this one first, or this question with everything "
    "below it."
)
_FIRST_ABOVE = "The question above this answer was deleted too; restore that one first."


class MessageDeletion(ConversationStore):
    """Deletes and restores the messages of one visitor's conversations."""

    def below(self, pk: int) -> list[int]:
        """The message and all that follow it, in all branches."""
        return MessageTree.of(self.get_message(pk).conversation).below(pk)

    @transaction.atomic
    def delete_message(self, pk: int) -> dict[str, Any]:
        """Mark a message and all that follow it as deleted; for KEPT_DELETED, `restore_message` undoes that.

        Returns the ids of those messages, and the end of the branch that is shown now.
        """
        message = self.get_message(pk)
        conversation = message.conversation
        tree = MessageTree.of(conversation)
        ids = tree.below(pk)
        tip = tree.tip_without(pk) if conversation.tip_id in {None, *ids} else conversation.tip_id
        now = timezone.now()
        for start in range(0, len(ids), _ROWS):
            Message.objects.filter(pk__in=ids[start : start + _ROWS]).update(deleted_at=now)
        show(conversation, tip)
        return {"deleted": ids, "tip": tip}

    @transaction.atomic
    def delete_alone(self, pk: int) -> dict[str, Any]:
        """Mark one message as deleted; what follows it follows the message above it from now on.

        No text changes, so nothing is lost: the message remembers its followers, and `restore_message` puts
        it back between them. Returns what `delete_message` does, and the ids of the messages that are `moved`
        with their new `parent`.

        Raises InvalidValue for the first question of a chat while it has answers.
        """
        message = self.get_message(pk)
        conversation = message.conversation
        tree = MessageTree.of(conversation)
        shown = tree.children(pk)
        if not shown:
            return self.delete_message(pk)
        if message.parent_id is None and any(child.role == "assistant" for child in shown):
            raise InvalidValue(_FIRST, param="id")
        # Deleted ones move as well: the purge deletes a message with its children.
        message.followers = list(message.children.values_list("pk", flat=True))
        message.deleted_at = timezone.now()
        message.save(update_fields=["followers", "deleted_at"])
        message.children.update(parent=message.parent_id)
        tip = tree.newest_tip(pk) if conversation.tip_id in {None, pk} else conversation.tip_id
        show(conversation, tip)
        moved = [child.id for child in shown]
        return {"deleted": [pk], "tip": tip, "moved": moved, "parent": message.parent_id}

    @transaction.atomic
    def restore_message(self, pk: int, tip: int | None) -> dict[str, Any]:
        """Undo `delete_message` or `delete_alone`, and show the branch that ends with `tip`, or the newest.

        Raises NotFound after KEPT_DELETED, and InvalidValue while the message above is deleted.
        """
        since = timezone.now() - KEPT_DELETED
        deleted = Message.objects.filter(conversation__in=self._undeleted(), deleted_at__gte=since)
        message = deleted.filter(pk=pk).first()
        if message is None:
            raise NotFound("This message cannot be restored any more.")
        if message.parent and message.parent.deleted_at:
            raise InvalidValue("The message above it is deleted too; restore that one first.", param="id")
        if message.parent is None and message.role == "assistant":
            raise InvalidValue(_FIRST_ABOVE, param="id")
        conversation = message.conversation
        together = conversation.messages.filter(deleted_at=message.deleted_at)
        ids = list(together.values_list("pk", flat=True))
        moved = _put_back(message)
        together.update(deleted_at=None)
        tree = MessageTree.of(conversation)
        below = set(tree.below(pk))
        tip = next((one for one in (tip, conversation.tip_id) if one in below), tree.newest_tip(pk))
        show(conversation, tip)
        restored = conversation.messages.filter(deleted_at=None, pk__gte=min(ids), pk__lte=max(ids))
        payloads = [one.payload for one in restored if one.pk in set(ids)]
        return {"messages": payloads, "tip": tip, "moved": moved, "parent": pk}


def show(conversation: Conversation, tip: int | None) -> None:
    """Have a conversation show the branch that ends with `tip`, as changed now."""
    Conversation.objects.filter(pk=conversation.pk).update(tip=tip, changed_at=timezone.now())


def _put_back(message: Message) -> list[int]:
    """Have the messages that followed a message follow it again; returns the ids of those."""
    followers = _followers(message)
    followers.update(parent=message)
    Message.objects.filter(pk=message.pk).update(followers=None)
    return list(message.children.filter(deleted_at=None).values_list("pk", flat=True))


def _followers(message: Message) -> "QuerySet[Message]":
    """What followed a message that was deleted alone, and stands in its place now.

    Where one of its followers was deleted alone after it, those of that one stand there.
    """
    siblings = message.conversation.messages.filter(parent=message.parent_id)
    lifted = siblings.filter(followers__isnull=False).exclude(pk=message.pk)
    of = dict(lifted.values_list("pk", "followers"))
    found = list(message.followers or ())
    for one in found:
        found += of.pop(one, None) or ()
    return siblings.filter(pk__in=found)
