"""Imported chats: their own dates, and what recognises them in a further import."""

import django.utils.timezone
from django.db import migrations, models

# The columns stay as they are: SQLite would copy the table, and lose the triggers of the search index.
_DATES = [
    migrations.AlterField(
        model_name=model,
        name="created_at",
        field=models.DateTimeField(default=django.utils.timezone.now),
    )
    for model in ("conversation", "message")
]


class Migration(migrations.Migration):
    dependencies = [("playground", "0005_settings")]
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=_DATES),
        migrations.AddField(
            model_name="conversation",
            name="import_key",
            field=models.CharField(blank=True, db_index=True, max_length=64, null=True),
        ),
    ]
