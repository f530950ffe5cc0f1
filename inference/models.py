"""What the database keeps about models."""

from collections.abc import Iterable

from django.db import models


class ServedModelManager(models.Manager["ServedModel"]):
    def sync(self, names: Iterable[str]) -> None:
        """Have exactly one row for each model on disk."""
        wanted = set(names)
        known = set(self.values_list("name", flat=True))
        self.bulk_create([ServedModel(name=name) for name in wanted - known], ignore_conflicts=True)
        self.filter(name__in=known - wanted).delete()


class ServedModel(models.Model):
    """One model this site may serve; its state lives in the pool, its facts on disk."""

    name = models.CharField(max_length=500, unique=True)
    found_at = models.DateTimeField(auto_now_add=True)

    objects = ServedModelManager()

    class Meta:
        ordering = ["name"]
        verbose_name = "model"
        default_permissions = ["view"]
        permissions = [("run_servedmodel", "Can load and unload models")]

    def __str__(self) -> str:
        return self.name
