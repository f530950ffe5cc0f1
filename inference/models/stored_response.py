"""Stored answers of /v1/responses, and an index of their items."""

from django.db import models


class StoredResponse(models.Model):
    """One answer of /v1/responses, kept so that a conversation can go on from it."""

    id = models.CharField(primary_key=True, max_length=64)
    owner = models.CharField(max_length=500, db_index=True)
    previous = models.CharField(max_length=64, blank=True)
    body = models.JSONField()
    input = models.JSONField(default=list)
    trace = models.JSONField(default=dict)  # how its stream was divided into events (responses/trace.py)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "stored response"
        default_permissions = ["view", "delete"]

    def __str__(self) -> str:
        return self.id


class StoredItem(models.Model):
    """Which response an item is in, for references to it."""

    id = models.CharField(primary_key=True, max_length=64)
    response = models.ForeignKey(StoredResponse, on_delete=models.CASCADE, related_name="items")

    class Meta:
        verbose_name = "stored item"
        default_permissions = ()

    def __str__(self) -> str:
        return self.id
