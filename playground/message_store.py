"""What a visitor does to single messages: edits of answers, continuations, branches, and deletions."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from inference.core.requests import Picture
from playground import continuation, kept_pictures
from playground.branch import branch_to
from playground.kept_pictures import ids_in
from playground.message_deletion import MessageDeletion
from playground.models import LONGEST_TITLE, Conversation, Message

_BRANCH = "Branch of "
_EDITED = ("content", "tokens", "edited_at", "status", "error", "figures")
_COPIED = ("role", "reasoning", "calls", "model", "made", *_EDITED)


class MessageStore(MessageDeletion):
    """The messages of one visitor's conversations.

    Methods raise NotFound for a message that does not exist, was deleted, or belongs to somebody else.
    """

    @transaction.atomic
    def edit_answer(self, pk: int, content: str) -> dict[str, Any]:
        """Change the text of an answer. The answer as it was becomes an earlier alternative.

        What follows the answer stays below it. The edited answer counts as the newest alternative and as
        complete, however it ended, and has no token probabilities, for nothing drew its tokens.
        """
        message = self._answer(pk)
        if message.content == content:
            return {"messages": [message.payload], "original": None}
        original = _copy(message)
        message.content, message.tokens, message.edited_at = content, [], timezone.now()
        message.status, message.error = "done", ""
        message.figures = message.figures and {**message.figures, "reason": "edited"}
        message.save(update_fields=_EDITED)
        _touch(message.conversation)
        return {"messages": [message.payload, original.payload], "original": original.pk}

    @transaction.atomic
    def undo(self, pk: int, original: int) -> dict[str, Any]:
        """Give an answer the text of `original`, which `edit_answer` or `reopen` made, and delete that one.

        The text that the answer had is deleted as any message is. Raises InvalidValue if the answer has
        changed since.
        """
        message = self._answer(pk)
        other = self._before(message, original)
        for name in _EDITED:
            mine, theirs = getattr(message, name), getattr(other, name)
            setattr(message, name, theirs)
            setattr(other, name, mine)
        other.deleted_at = timezone.now()
        message.save()
        other.save()
        _touch(message.conversation)
        return {"messages": [message.payload], "deleted": [original]}

    def to_continue(self, pk: int) -> tuple[Message, list[Message]]:
        """An answer and the branch that ends with it; raises InvalidValue if it cannot be continued."""
        message = self._answer(pk)
        if reason := continuation.refusal(message):
            raise InvalidValue(reason, param="id")
        return message, branch_to(message.conversation, pk)

    @transaction.atomic
    def reopen(self, message: Message) -> int:
        """Mark an answer as in progress again; returns the id of a deleted copy, by which `undo` works."""
        original = _copy(message, deleted_at=timezone.now())
        message.status, message.error = "answering", ""
        message.save(update_fields=["status", "error"])
        _touch(message.conversation)
        return original.pk

    def branch_of(self, pk: int) -> tuple[UUID, list[dict[str, Any]]]:
        """The conversation of a message, and the branch that ends with it."""
        message = self.get_message(pk)
        branch = branch_to(message.conversation, pk)
        return message.conversation_id, [one.exported for one in branch]

    def add_branch(self, origin: UUID, branch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A new conversation with copies of these messages, with the settings and folder of its origin."""
        conversation = self.get(origin)
        pictures = kept_pictures.read(origin, ids_in(message["attachments"] for message in branch))
        self.check_quota(_bytes(branch, pictures))
        fields = {
            "title": f"{_BRANCH}{str(conversation).removeprefix(_BRANCH)}"[:LONGEST_TITLE],
            "folder": conversation.folder,
            "settings": conversation.settings,
            "tip": branch[-1]["id"],
        }
        return self.import_conversation(fields, branch, pictures, origin=conversation)

    def _before(self, message: Message, original: int) -> Message:
        """An answer as it was before an edit, if nothing follows that, or before a continuation."""
        siblings = message.conversation.messages.filter(parent_id=message.parent_id, role="assistant")
        other = siblings.filter(pk=original).exclude(pk=message.pk).first()
        if other and other.deleted_at:
            is_fitting = message.content.startswith(other.content)
        else:
            is_fitting = bool(
                other and message.edited_at and not other.children.filter(deleted_at=None).exists()
            )
        if other is None or not is_fitting:
            raise InvalidValue("This change cannot be undone any more.", param="original")
        return other

    def copy_of_shared(self, token: str) -> tuple[dict[str, str], list[dict[str, Any]], dict[str, Picture]]:
        """The title and owner, the shown branch, and its pictures, of a conversation that somebody shares."""
        branch = self.shared_branch(token)
        if not branch:
            raise NotFound("There are no messages in this conversation.")
        copied = [one.exported for one in branch]
        shared = branch[0].conversation
        pictures = kept_pictures.read_of(shared.pk, branch)
        self.check_quota(_bytes(copied, pictures))
        return {"title": str(shared), "copied_from": shared.owner_name}, copied, pictures

    def _answer(self, pk: int) -> Message:
        message = self.get_message(pk)
        if message.role != "assistant":
            raise InvalidValue("This message is not an answer.", param="id")
        return message


def _bytes(messages: Sequence[Mapping[str, Any]], pictures: Mapping[str, Picture]) -> int:
    """What copies of these messages need, as a quota counts it."""
    return len(msgspec.json.encode(messages)) + sum(len(picture.data) for picture in pictures.values())


def _touch(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(changed_at=timezone.now())


def _copy(message: Message, **fields: Any) -> Message:
    """Store an answer as it is once more, as old as it is; `fields` differ."""
    copied = {name: getattr(message, name) for name in _COPIED}
    made = Message.objects.create(
        conversation=message.conversation, parent_id=message.parent_id, **copied, **fields
    )
    Message.objects.filter(pk=made.pk).update(created_at=message.created_at)
    made.created_at = message.created_at
    return made
