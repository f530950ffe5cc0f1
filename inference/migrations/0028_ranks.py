from django.core import validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0027_federated_identities"),
    ]

    operations = [
        migrations.AddField(
            model_name="servedmodel",
            name="ranks",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Processes that compute it together, each with a part of its weights, "
                "from the next load. Empty: one.",
                null=True,
                validators=[validators.MinValueValidator(1), validators.MaxValueValidator(64)],
            ),
        ),
    ]
