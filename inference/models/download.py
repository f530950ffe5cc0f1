"""The permission to download models, as a table that Django's permissions need and the database has not."""

from django.db import models


class Download(models.Model):
    """The admin's page about downloads and the right to begin one; runtime.downloads() has the downloads."""

    class Meta:
        managed = False
        default_permissions = ["add", "view"]

    def __str__(self) -> str:
        return "download"
