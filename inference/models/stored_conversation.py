"""Conversations of /v1/conversations, and their items in order."""

from django.db import models


class StoredConversation(models.Model):
    """A list of items to which responses add what they were given and what they answered."""

    id = models.CharField(primary_key=True, max_length=64)
    owner = models.CharField(max_length=500, db_index=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(auto_now=True, db_index=True)  # its retention begins here

    class Meta:
        ordering = ["-used_at"]
        verbose_name = "stored conversation"
        default_permissions = ["view", "delete"]

    def __str__(self) -> str:
        return self.id


class ConversationItem(models.Model):
    """One item of a conversation; the key is its place among the others."""

    item_id = models.CharField(max_length=64, db_index=True)
    conversation = models.ForeignKey(StoredConversation, on_delete=models.CASCADE, related_name="items")
    fields = models.JSONField()

    class Meta:
        ordering = ["pk"]
        verbose_name = "conversation item"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["conversation", "item_id"], name="one_item_of_an_id"),
        ]

    def __str__(self) -> str:
        return self.item_id
