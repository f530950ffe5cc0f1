"""The playground's tables: each visitor's conversations, as trees of messages."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

LONGEST_TITLE = 200
LONGEST_FOLDER = 100


class Conversation(models.Model):
    """A tree of messages. Each names its parent; `tip` is the last message of the branch that is shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(  # null: a visitor of an open site
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    title = models.CharField(max_length=LONGEST_TITLE, blank=True)
    folder = models.CharField(max_length=LONGEST_FOLDER, blank=True)
    is_pinned = models.BooleanField(default=False)
    settings = models.JSONField(default=dict, blank=True)
    tip = models.ForeignKey("Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    share = models.CharField(max_length=40, null=True, blank=True, unique=True)  # noqa: DJ001 - unique
    branched_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-is_pinned", "-changed_at"]
        indexes = [models.Index(fields=["user", "-changed_at"])]

    def __str__(self) -> str:
        return self.title or "New chat"


class Message(models.Model):
    """One message. Messages with the same parent are alternatives: nothing is overwritten."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(max_length=10)  # user or assistant
    content = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    calls = models.JSONField(default=list, blank=True)  # id, name, arguments and, once known, the result
    model = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, default="done")  # answering, done, stopped, failed
    error = models.TextField(blank=True)
    figures = models.JSONField(null=True, blank=True)  # tokens, seconds, finish reason
    tokens = models.JSONField(default=list, blank=True)  # with the likeliest alternatives, where requested
    made = models.JSONField(null=True, blank=True)  # the question's fields that made the answer
    edited_at = models.DateTimeField(null=True, blank=True)  # when the visitor last changed this answer
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # one time for all that were deleted together

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"

    @property
    def payload(self) -> dict[str, Any]:
        """The message as the page's JSON."""
        return {
            "id": self.pk,
            "parent": self.parent_id,
            "role": self.role,
            "content": self.content,
            "reasoning": self.reasoning,
            "calls": self.calls,
            "model": self.model,
            "status": self.status,
            "error": self.error,
            "figures": self.figures,
            "tokens": self.tokens,
            "made": self.made,
            "edited_at": self.edited_at and self.edited_at.isoformat(),
            "at": self.created_at.isoformat(),
        }
