"""The playground's tables: each visitor's conversations, as trees of messages."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

LONGEST_TITLE = 200
LONGEST_FOLDER = 100
LONGEST_PROMPT_NAME = 100
LONGEST_FILE_NAME = 255
LONGEST_MODEL = 500
LONGEST_PARAM = 200
LONGEST_OWNER = 310  # first and last name


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
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    share = models.CharField(max_length=40, null=True, blank=True, unique=True)  # noqa: DJ001 - unique
    branched_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Whose shared chat this is a copy of: the name of the account's owner, empty for a visitor without one.
    copied_from = models.CharField(max_length=LONGEST_OWNER, null=True, blank=True)  # noqa: DJ001 - null: none
    # What an import recognises this chat by, so that it does not come twice; null where it was written here.
    import_key = models.CharField(max_length=64, null=True, blank=True, db_index=True)  # noqa: DJ001

    class Meta:
        ordering = ["-is_pinned", "-changed_at"]
        indexes = [models.Index(fields=["user", "-changed_at"])]

    def __str__(self) -> str:
        return self.title or "New chat"

    @property
    def summary(self) -> dict[str, Any]:
        """The conversation as its row of the list."""
        return {
            "id": str(self.pk),
            "title": str(self),
            "folder": self.folder,
            "is_pinned": self.is_pinned,
            "changed_at": self.changed_at.isoformat(),
            "share": self.share,
            "copied_from": self.copied_from,
        }

    @property
    def owner_name(self) -> str:
        """The name of the account's owner, or of the account; empty for a visitor without one."""
        return str(self.user.get_full_name() or self.user.get_username()) if self.user else ""


class Folder(models.Model):
    """A visitor's folder. A conversation names its folder; this keeps the folders that have none."""

    user = models.ForeignKey(  # null: a visitor of an open site
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=LONGEST_FOLDER)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message. Messages with the same parent are alternatives: nothing is overwritten."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(max_length=10)  # user or assistant
    content = models.TextField(blank=True)
    # id, name, size and text of each file, or a picture's media_type, width and height; null for none
    attachments = models.JSONField(null=True, blank=True)
    reasoning = models.TextField(blank=True)
    calls = models.JSONField(default=list, blank=True)  # id, name, arguments and, once known, the result
    model = models.CharField(max_length=LONGEST_MODEL, blank=True)
    status = models.CharField(max_length=10, default="done")  # answering, done, stopped, failed
    error = models.TextField(blank=True)
    error_param = models.CharField(  # noqa: DJ001 - null: none
        max_length=LONGEST_PARAM, null=True, blank=True
    )
    figures = models.JSONField(null=True, blank=True)  # tokens, seconds, finish reason
    tokens = models.JSONField(default=list, blank=True)  # with the likeliest alternatives, where requested
    made = models.JSONField(null=True, blank=True)  # the question's fields that made the answer
    edited_at = models.DateTimeField(null=True, blank=True)  # when the visitor last changed this answer
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)  # one time for all that were deleted together
    followers = models.JSONField(null=True, blank=True)  # what followed it, where it alone was deleted

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
            "attachments": [listed(one) for one in self.attachments or ()],
            "reasoning": self.reasoning,
            "calls": self.calls,
            "model": self.model,
            "status": self.status,
            "error": self.error,
            "error_param": self.error_param,
            "figures": self.figures,
            "tokens": self.tokens,
            "made": self.made,
            "edited_at": self.edited_at and self.edited_at.isoformat(),
            "at": self.created_at.isoformat(),
        }

    @property
    def exported(self) -> dict[str, Any]:
        """The message as `payload`, with the texts of its files."""
        return {**self.payload, "attachments": self.attachments or []}


def listed(attachment: Mapping[str, Any]) -> dict[str, Any]:
    """A message's file as the page's JSON: of a text, how long it is."""
    facts = {name: value for name, value in attachment.items() if name != "text"}
    return facts | ({"characters": len(attachment["text"])} if "text" in attachment else {})


class DefaultSettings(models.Model):
    """The settings that an account's new chats begin with."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    settings = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"default settings of {self.user}"


class SystemPrompt(models.Model):
    """A system prompt in an account's library."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=LONGEST_PROMPT_NAME)
    text = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="playground_prompt_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def payload(self) -> dict[str, Any]:
        """The prompt as the page's JSON."""
        return {"id": self.pk, "name": self.name, "text": self.text}


class FavouriteModel(models.Model):
    """A model that an account has marked as a favourite; it may be gone, and come back."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    model = models.CharField(max_length=LONGEST_MODEL)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "model"], name="playground_favourite")]

    def __str__(self) -> str:
        return self.model


class PendingAttachment(models.Model):
    """A file that a visitor has added to a question that is not sent yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(  # null: a visitor of an open site
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=LONGEST_FILE_NAME)
    size = models.PositiveIntegerField()  # bytes of the file
    text = models.TextField(blank=True)  # empty for a picture
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def stored(self) -> dict[str, Any]:
        """The file as a message keeps it."""
        facts = {"id": str(self.pk), "name": self.name, "size": self.size}
        picture = StoredPicture.objects.filter(pending=self).defer("data").first()
        return facts | (picture.facts if picture else {"text": self.text})


class StoredPicture(models.Model):
    """The bytes of a picture: of a question that is not sent yet, and then of its conversation.

    Its id is that of the file, in every message of the conversation that has it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pending = models.OneToOneField(
        PendingAttachment, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="pictures"
    )
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()  # in pixels, as its header states
    height = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pending__isnull=False, conversation__isnull=True)
                | models.Q(pending__isnull=True, conversation__isnull=False),
                name="playground_picture_place",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def facts(self) -> dict[str, Any]:
        """What a message and the page know of it."""
        return {"media_type": self.media_type, "width": self.width, "height": self.height}
