from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inference", "0017_draft_model")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="can_read_metrics",
            field=models.BooleanField(
                default=False,
                help_text="Read /metrics, for Prometheus; nothing else.",
                verbose_name="metrics",
            ),
        ),
    ]
