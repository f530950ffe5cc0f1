from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.core import validators
from django.db import migrations, models

from inference.models import request_record, sampling_fields, served_model

# The limits of keys, accounts and groups, by the models that have each.
LIMITS = {
    "concurrent_streams": (
        ("accountlimits", "apikey", "grouplimits"),
        models.PositiveIntegerField(
            blank=True,
            help_text="Answers generated at the same time. Empty: no limit.",
            null=True,
            validators=[validators.MinValueValidator(1)],
        ),
    ),
    "requests_per_minute": (
        ("accountlimits", "apikey", "grouplimits"),
        models.PositiveIntegerField(
            blank=True,
            help_text="Empty: no limit.",
            null=True,
            validators=[validators.MinValueValidator(1), validators.MaxValueValidator(10000)],
        ),
    ),
    "storage_mb": (
        ("accountlimits", "grouplimits"),
        models.PositiveIntegerField(
            blank=True,
            help_text="Chats, attached files, stored responses and conversations. Empty: no limit.",
            null=True,
            validators=[validators.MinValueValidator(1)],
            verbose_name="storage in megabytes",
        ),
    ),
    "tokens_per_day": (
        ("accountlimits", "apikey", "grouplimits"),
        models.PositiveBigIntegerField(
            blank=True,
            help_text="Prompts and answers together, counted from midnight UTC. Empty: no limit.",
            null=True,
            validators=[validators.MinValueValidator(1)],
        ),
    ),
}


# The sampling of a model, each with its help and its checks.
SAMPLING: dict[str, tuple[str, list[Any]]] = {
    "repetition_penalty": (
        "Above 0, at most 2; 1: no penalty.",
        [sampling_fields.check_above_zero, validators.MaxValueValidator(2)],
    ),
    "temperature": (
        "0 to 2; the default of requests that do not set it. Empty: the model's own.",
        [validators.MinValueValidator(0), validators.MaxValueValidator(2)],
    ),
    "top_p": ("Above 0, at most 1.", [sampling_fields.check_above_zero, validators.MaxValueValidator(1)]),
}


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0022_connect"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.AlterField(model_name=model, name=name, field=field)
            for name, (models_with_it, field) in LIMITS.items()
            for model in models_with_it
        ),
        migrations.AlterModelOptions(
            name="poolevent",
            options={
                "default_permissions": ["view"],
                "ordering": ["-at", "-pk"],
                "verbose_name": "scheduler event",
            },
        ),
        migrations.AlterField(
            model_name="apikey",
            name="can_embed",
            field=models.BooleanField(
                default=True, help_text="Embeddings and reranking.", verbose_name="embeddings"
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="can_manage",
            field=models.BooleanField(
                default=False,
                help_text="Load, unload and pin models, and see their state.",
                verbose_name="manage",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="can_read_metrics",
            field=models.BooleanField(
                default=False,
                help_text="Read /metrics for Prometheus, and nothing else.",
                verbose_name="metrics",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="In UTC. Empty: never.", null=True, verbose_name="expires"
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="is_revoked",
            field=models.BooleanField(
                default=False,
                help_text="Requests with a revoked key are rejected. This cannot be undone.",
                verbose_name="revoked",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="name",
            field=models.CharField(help_text="The program or machine that uses it.", max_length=100),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="prefix",
            field=models.CharField(editable=False, max_length=20, unique=True, verbose_name="prefix"),
        ),
        migrations.AlterField(
            model_name="capture",
            name="began_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="started"),
        ),
        migrations.AlterField(
            model_name="capture",
            name="began_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="started by",
            ),
        ),
        migrations.AlterField(
            model_name="capture",
            name="reason",
            field=models.CharField(help_text="Shown to all users of the admin.", max_length=200),
        ),
        migrations.AlterField(
            model_name="capture",
            name="until",
            field=models.DateTimeField(
                default=request_record._in_an_hour,
                help_text="In UTC. The capture ends by itself, within a week.",
                validators=[request_record.check_end],
                verbose_name="ends",
            ),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="accepted_tokens",
            field=models.PositiveBigIntegerField(default=0, verbose_name="accepted drafts"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="cached_tokens",
            field=models.PositiveBigIntegerField(verbose_name="cached prompt tokens"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="completion_tokens",
            field=models.PositiveBigIntegerField(verbose_name="answer tokens"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="drafted_tokens",
            field=models.PositiveBigIntegerField(default=0, verbose_name="drafted answer tokens"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="finish",
            field=models.CharField(blank=True, max_length=200, verbose_name="finish reason"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="has_left",
            field=models.BooleanField(default=False, verbose_name="client disconnected"),
        ),
        migrations.AlterField(
            model_name="requestrecord",
            name="prompt_tokens",
            field=models.PositiveBigIntegerField(verbose_name="prompt tokens"),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="adapter",
            field=models.CharField(
                blank=True,
                help_text="How prompts are formatted and answers are parsed, from the next load.",
                max_length=40,
                verbose_name="chat adapter",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="aliases",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Other names that requests may use for this model, one per line; `claude-*` matches all names with this prefix.",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="context_cap",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Tokens of prompt and answer together, from the next load. Empty: the model's own limit.",
                null=True,
                validators=[validators.MinValueValidator(16)],
                verbose_name="longest context",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="draft_model",
            field=models.CharField(
                max_length=500,
                blank=True,
                help_text="A smaller model with the same vocabulary that drafts tokens, from the next load.",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="idle_ttl_s",
            field=models.FloatField(
                blank=True,
                help_text="Seconds without a request before it is unloaded. -1: never. Empty: the site's setting.",
                null=True,
                validators=[served_model.check_idle_ttl],
                verbose_name="unload when idle",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="is_enabled",
            field=models.BooleanField(
                default=True,
                help_text="A disabled model is not listed and not loaded; if it is in memory, it is unloaded.",
                verbose_name="enabled",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="kv_bits",
            field=models.PositiveSmallIntegerField(
                blank=True,
                choices=[(0, "not quantised"), (8, "8 bits"), (4, "4 bits")],
                help_text="Fewer bits leave memory for more requests, from the next load. Empty: the site's setting.",
                null=True,
                verbose_name="KV cache",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="speculation",
            field=models.CharField(
                blank=True,
                choices=[("lookup", "Prompt lookup"), ("off", "Off")],
                help_text="Drafts several tokens and verifies them together. Empty: the site's setting.",
                max_length=10,
                verbose_name="speculative decoding",
            ),
        ),
        migrations.AlterField(
            model_name="servedmodel",
            name="top_k",
            field=models.PositiveIntegerField(blank=True, help_text="0: all tokens.", null=True),
        ),
        *(
            migrations.AlterField(
                model_name="servedmodel",
                name=name,
                field=models.FloatField(blank=True, help_text=help_text, null=True, validators=checks),
            )
            for name, (help_text, checks) in SAMPLING.items()
        ),
    ]
