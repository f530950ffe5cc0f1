"""Hours of usage, filled once from the stored records; phases of requests; pages of the log and of health."""

from datetime import UTC
from typing import Any

from django.db import migrations, models
from django.db.models import Count, Sum
from django.db.models.functions import TruncHour

_BATCH = 500


def fill(apps: Any, schema_editor: Any) -> None:
    """Add up the stored records by hour; those of deleted keys have lost their owner."""
    records = apps.get_model("inference", "RequestRecord").objects.order_by()
    hours = apps.get_model("inference", "UsageHour").objects
    sums = records.values_list(
        TruncHour("at", tzinfo=UTC),
        *("model", "principal_kind", "principal", "key__name", "key__owner__username", "error"),
    ).annotate(Count("pk"), Sum("prompt_tokens"), Sum("cached_tokens"), Sum("completion_tokens"))
    found: dict[tuple[Any, ...], Any] = {}
    for hour, model, kind, principal, key, owner, error, *figures in sums.iterator():
        is_key, account = kind == "key", principal if kind == "user" else owner or ""
        place = {
            "hour": hour,
            "model": "" if error == "model_not_found" else model,
            "caller_kind": kind,
            "key_prefix": principal[:20] if is_key else "",
            "account": account[:150],
        }
        row = found.setdefault(tuple(place.values()), hours.model(**place, key_name=key or ""))
        row.requests += figures[0]
        row.errors += figures[0] if error else 0
        row.prompt_tokens += figures[1]
        row.cached_tokens += figures[2]
        row.completion_tokens += figures[3]
    hours.bulk_create(found.values(), batch_size=_BATCH)


class Migration(migrations.Migration):
    dependencies = [("inference", "0020_quantisations")]

    operations = [
        migrations.CreateModel(
            name="HealthCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                )
            ],
            options={
                "verbose_name": "health",
                "verbose_name_plural": "health",
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LogLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                )
            ],
            options={
                "verbose_name": "log line",
                "verbose_name_plural": "log",
                "managed": False,
                "default_permissions": ["view"],
            },
        ),
        migrations.AddField(
            model_name="requestrecord",
            name="own_ahead",
            field=models.PositiveIntegerField(default=0, verbose_name="earlier answers of its account"),
        ),
        migrations.AddField(
            model_name="requestrecord",
            name="paused_ms",
            field=models.PositiveBigIntegerField(default=0, verbose_name="paused"),
        ),
        migrations.AddField(
            model_name="requestrecord",
            name="queue_place",
            field=models.PositiveIntegerField(default=0, verbose_name="place in the queue"),
        ),
        migrations.CreateModel(
            name="UsageHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("model", models.CharField(blank=True, max_length=500)),
                ("caller_kind", models.CharField(max_length=10)),
                ("key_prefix", models.CharField(blank=True, max_length=20)),
                ("key_name", models.CharField(blank=True, max_length=100)),
                ("account", models.CharField(blank=True, max_length=150)),
                ("requests", models.PositiveBigIntegerField(default=0)),
                ("errors", models.PositiveBigIntegerField(default=0)),
                ("prompt_tokens", models.PositiveBigIntegerField(default=0)),
                ("cached_tokens", models.PositiveBigIntegerField(default=0)),
                ("completion_tokens", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "usage",
                "verbose_name_plural": "usage",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "model", "caller_kind", "key_prefix", "account"),
                        name="one_row_for_an_hour_of_usage",
                    )
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
