"""The permission to read the log, as a table that Django's permissions need and the database has not."""

from django.db import models


class LogLine(models.Model):
    """The admin's page of the log; inference/core/log_ring.py has the lines."""

    class Meta:
        managed = False
        verbose_name = "log line"
        verbose_name_plural = "log"
        default_permissions = ["view"]

    def __str__(self) -> str:
        return "log line"
