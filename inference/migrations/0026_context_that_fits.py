from django.core import validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0025_upstreams"),
    ]

    operations = [
        migrations.AlterField(
            model_name="servedmodel",
            name="context_cap",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Maximum tokens of prompt and answer together, from the next load. Empty: as many as fit into memory.",
                null=True,
                validators=[validators.MinValueValidator(16)],
                verbose_name="longest context",
            ),
        ),
    ]
