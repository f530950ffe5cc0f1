"""The bytes that an account keeps in the playground, for its quota (inference/accounts/storage_quota.py)."""

from django.contrib.auth.models import User
from django.db.models import Q, Sum
from django.db.models.functions import Length

from inference.accounts.storage_quota import bytes_of
from playground.models import Message, PendingAttachment, StoredPicture

_COLUMNS = ("content", "attachments", "reasoning", "calls", "tokens", "made")


def kept_bytes(user: User) -> int:
    """Messages with their files, also of chats that can still be restored, and files that were not sent."""
    messages = bytes_of(Message.objects.filter(conversation__user=user), *_COLUMNS)
    waiting = bytes_of(PendingAttachment.objects.filter(user=user), "text")
    pictures = StoredPicture.objects.filter(Q(conversation__user=user) | Q(pending__user=user))
    shown = pictures.aggregate(bytes=Sum(Length("data"), default=0))["bytes"]  # which reads none of them
    return int(messages + waiting + shown)
