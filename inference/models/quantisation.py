"""The admin's page of quantisations, as a table that Django's admin needs and the database has not."""

from collections.abc import Sequence
from typing import ClassVar

from django.db import models


class Quantisation(models.Model):
    """The models that are quantised, which serving/quantising.py has; its rights are those of downloads."""

    class Meta:
        managed = False
        default_permissions: ClassVar[Sequence[str]] = ()

    def __str__(self) -> str:
        return "quantisation"
