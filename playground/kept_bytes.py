"""The bytes that an account keeps in the playground, for its quota (inference/accounts/storage_quota.py)."""

from django.contrib.auth.models import User

from inference.accounts.storage_quota import bytes_of
from playground.models import Message, PendingAttachment

_COLUMNS = ("content", "attachments", "reasoning", "calls", "tokens", "made")


def kept_bytes(user: User) -> int:
    """Messages with their files, also of chats that can still be restored, and files that were not sent."""
    messages = bytes_of(Message.objects.filter(conversation__user=user), *_COLUMNS)
    return messages + bytes_of(PendingAttachment.objects.filter(user=user), "text")
