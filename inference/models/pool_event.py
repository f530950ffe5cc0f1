"""The pool's decisions, stored for the admin."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from django.db import models

from inference.core import pool_state
from inference.models.served_model import ServedModel

KEPT_EVENTS = 10_000


class PoolEventManager(models.Manager["PoolEvent"]):
    def record(self, event: pool_state.PoolEvent) -> None:
        """Keep one event, and of all events the newest 10,000."""
        kept = self.create(
            kind=event.kind,
            model=event.model,
            text=event.text,
            at=datetime.fromtimestamp(event.at, UTC),
            needed_bytes=event.needed_bytes,
            free_bytes=event.free_bytes,
            limit_bytes=event.limit_bytes,
            seconds=event.seconds,
        )
        self.filter(pk__lte=kept.pk - KEPT_EVENTS).delete()
        if event.kind in {"loaded", "restarted"}:
            findings = msgspec.to_builtins(event.findings)
            ServedModel.objects.update_or_create(name=event.model, defaults={"findings": findings})

    def newest(self, number: int) -> tuple[pool_state.PoolEvent, ...]:
        """The last ones kept, newest first."""
        return tuple(row.event for row in self.all()[:number])


class PoolEvent(models.Model):
    """One decision of the pool with the numbers that decided it (bytes, seconds)."""

    kind = models.CharField(max_length=20)
    model = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    at = models.DateTimeField(db_index=True)
    needed_bytes = models.BigIntegerField(default=0)
    free_bytes = models.BigIntegerField(default=0)
    limit_bytes = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)

    objects = PoolEventManager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "scheduler event"
        default_permissions = ["view"]

    def __str__(self) -> str:
        return self.text

    @property
    def event(self) -> pool_state.PoolEvent:
        """As the pool's own struct; the findings of a self-test are stored with the model only."""
        return pool_state.PoolEvent(
            kind=cast(Any, self.kind),
            model=self.model,
            text=self.text,
            at=self.at.timestamp(),
            needed_bytes=self.needed_bytes,
            free_bytes=self.free_bytes,
            limit_bytes=self.limit_bytes,
            seconds=self.seconds,
        )
