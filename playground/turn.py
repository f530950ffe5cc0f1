"""A turn of a conversation: a question and its empty answers, stored together or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from inference.core.errors import ConversationChanged
from playground.models import Conversation, Message
from playground.schemas import AskBody
from playground.store import ConversationStore

_WENT_ON = "This chat was continued in another window. Send again to continue after its newest message."
_EXISTS = "This chat already exists."


@dataclass(frozen=True)
class StoredTurn:
    """What was stored: `branch` ends with the question, `answers` follow it, one for each model."""

    conversation: Conversation
    branch: list[Message]
    answers: list[Message]


@transaction.atomic
def store_turn(store: ConversationStore, body: AskBody, questions: Sequence[Mapping[str, Any]]) -> StoredTurn:
    """Store a question with an empty answer for each of `questions`, in one transaction.

    1. Check that the branch still ends where the page thinks, and that a new conversation is not stored yet.
    2. Store the question, and an answer in progress for each model.

    Raises ConversationChanged where step 1 finds a difference, and what `add_question` raises.
    """
    pk = UUID(body.conversation) if body.conversation else None
    new_id = UUID(body.new_id) if body.new_id and not pk else None
    if pk and body.at_end and _has_replies(store.get(pk), body.parent):
        raise ConversationChanged(_WENT_ON, param="parent")
    if new_id and Conversation.objects.filter(pk=new_id).exists():
        raise ConversationChanged(_EXISTS, param="new_id")
    store.check_quota(len((body.content or "").encode(errors="replace")))
    found, branch = store.add_question(
        pk, body.parent, body.content, body.results, body.settings, new_id, body.attachments
    )
    answers = [store.add_answer(found, branch[-1], question) for question in questions]
    return StoredTurn(found, branch, answers)


def _has_replies(conversation: Conversation, parent: int | None) -> bool:
    return conversation.messages.filter(parent=parent, deleted_at=None).exists()
