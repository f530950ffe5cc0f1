"""The admin's page of the site's health, as a table that Django's admin needs and the database has not."""

from django.db import models


class HealthCheck(models.Model):
    """Whoever may view models may view it; inference/serving/health has the checks."""

    class Meta:
        managed = False
        verbose_name = verbose_name_plural = "health"
        default_permissions = ()

    def __str__(self) -> str:
        return "health"
