"""Favourite models, messages that are deleted alone, whose chat a copy is of, and refused settings."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("playground", "0007_attachments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="message",
            name="error_param",
            field=models.CharField(blank=True, max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="copied_from",
            field=models.CharField(blank=True, max_length=310, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="followers",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="FavouriteModel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model", models.CharField(max_length=500)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "model"), name="playground_favourite")
                ],
            },
        ),
    ]
