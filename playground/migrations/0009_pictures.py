"""Pictures of questions: their bytes, beside the messages that name them."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("playground", "0008_favourites")]
    operations = [
        migrations.AlterField(
            model_name="pendingattachment",
            name="text",
            field=models.TextField(blank=True),
        ),
        migrations.CreateModel(
            name="StoredPicture",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("media_type", models.CharField(max_length=20)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="playground.conversation",
                    ),
                ),
                (
                    "pending",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="playground.pendingattachment",
                    ),
                ),
                # Last: what follows a large value in a row is slow to read.
                ("data", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("conversation__isnull", True), ("pending__isnull", False)),
                            models.Q(("conversation__isnull", False), ("pending__isnull", True)),
                            _connector="OR",
                        ),
                        name="playground_picture_place",
                    )
                ],
            },
        ),
    ]
