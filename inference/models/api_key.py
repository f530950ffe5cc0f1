"""API keys in the database: never the secret itself, only its digest."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet, Sum

from inference.core import key_secret
from inference.core.key_secret import OldSecret
from inference.core.principal import SCOPES, Scope
from inference.core.text_direction import isolated
from inference.models.usage_limits import UsageLimits, today

_MOST_MODELS = 256
_MOST_OLD_SECRETS = 8
_LONGEST = timedelta(days=3650)
_SEEN_EVERY = timedelta(minutes=1)


class ApiKeyManager(models.Manager["ApiKey"]):
    def with_tokens_today(self) -> "QuerySet[ApiKey]":
        """Every key with its owner and what it has used since midnight."""
        spent = F("days__prompt_tokens") + F("days__completion_tokens")
        used = Sum(spent, filter=Q(days__day=today().date()), default=0)
        found: QuerySet[ApiKey] = self.select_related("owner").annotate(tokens_today=used)
        return found

    def free_name(self, owner: Any, name: str) -> str:
        """The name, with a number behind it where a key of this owner that is not revoked has it already."""
        taken = set(self.filter(owner=owner, is_revoked=False).values_list("name", flat=True))
        numbered = (f"{name} {number}" for number in itertools.count(2))
        return next(one for one in itertools.chain([name], numbered) if one not in taken)


class ApiKey(UsageLimits):
    """A key that programs send, on behalf of its owner."""

    name = models.CharField(max_length=100, help_text="The program or machine that uses it.")
    prefix = models.CharField("prefix", max_length=20, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    can_chat = models.BooleanField("chat", default=True, help_text="Chats, completions and token counts.")
    can_embed = models.BooleanField("embeddings", default=True, help_text="Embeddings and reranking.")
    can_manage = models.BooleanField(
        "manage", default=False, help_text="Load, unload and pin models, and see their state."
    )
    can_read_metrics = models.BooleanField(
        "metrics", default=False, help_text="Read /metrics for Prometheus, and nothing else."
    )
    allowed_models = models.JSONField(
        "models",
        default=list,
        blank=True,
        help_text=(
            "The models that it can list and use: a model includes its adapters and profiles. Empty: all."
        ),
    )
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="In UTC. Empty: never.")
    created_at = models.DateTimeField("created", auto_now_add=True)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    renewed_at = models.DateTimeField("renewed", null=True, editable=False)
    old_secrets = models.JSONField(default=list, editable=False)  # each an OldSecret, the newest first
    is_revoked = models.BooleanField(
        "revoked", default=False, help_text="Requests with a revoked key are rejected. This cannot be undone."
    )

    objects = ApiKeyManager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{isolated(self.name)} ({self.prefix}…)"

    def clean(self) -> None:
        problems = {
            "name": self._name_problem(),
            "can_chat": "" if self.scopes else "Select at least one scope; to end a key, revoke it.",
            "expires_at": self._end_problem(),
            "allowed_models": self._models_problem(),
        }
        if wrong := {field: text for field, text in problems.items() if text}:
            raise ValidationError(wrong)

    def _name_problem(self) -> str:
        """Why its owner's other keys keep it from having this name; empty when they do not."""
        others = ApiKey.objects.filter(owner=self.owner_id, name=self.name, is_revoked=False).exclude(
            pk=self.pk
        )
        if self.is_revoked or not others.exists():
            return ""
        return "The owner already has a key with this name."

    def _end_problem(self) -> str:
        """Why it cannot end then; empty when it can."""
        if self.expires_at is None or self.expires_at > datetime.now(UTC):
            return ""
        before = ApiKey.objects.filter(pk=self.pk).values_list("expires_at", flat=True).first()
        # The page of a key that has expired must still be saved; forms have no fractions of seconds.
        if before and before.replace(microsecond=0) == self.expires_at.replace(microsecond=0):
            return ""
        return "Enter a future time, in UTC. To end a key now, revoke it."

    def _models_problem(self) -> str:
        names = self.allowed_models
        is_list = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        if is_list and len(names) <= _MOST_MODELS:
            return ""
        return f"Give a list of at most {_MOST_MODELS} ids of models."

    def give_secret(self) -> str:
        """Generate the secret; the only time that it can be seen."""
        made = key_secret.make()
        self.prefix, self.digest = key_secret.prefix_of(made), key_secret.digest(made)
        return made

    def renew(self, *, expires_at: datetime | None, grace: timedelta) -> str:
        """Save a new secret and a new end; return the secret, which can be seen only now.

        The old secrets work for `grace` longer, but none past its own end. The prefix stays, and with it all
        that was recorded of this key.
        """
        now = datetime.now(UTC)
        latest = now + grace
        replaced = OldSecret(self.digest, self.expires_at or latest)
        old = (OldSecret(one.digest, min(one.ends_at, latest)) for one in (replaced, *self.replaced_secrets))
        self.old_secrets = msgspec.to_builtins(list(itertools.islice(old, _MOST_OLD_SECRETS)))
        made = key_secret.make(self.prefix)
        self.digest, self.expires_at, self.renewed_at = key_secret.digest(made), expires_at, now
        self.save(update_fields=["digest", "expires_at", "renewed_at", "old_secrets"])
        return made

    @property
    def replaced_secrets(self) -> tuple[OldSecret, ...]:
        return msgspec.convert(self.old_secrets, tuple[OldSecret, ...])

    @property
    def old_secret_end(self) -> datetime | None:
        """When the last of its old secrets stops working; None when none works."""
        now = datetime.now(UTC)
        return max((one.ends_at for one in self.replaced_secrets if one.ends_at > now), default=None)

    @property
    def end_after_renewal(self) -> datetime | None:
        """The end that gives it as much time as it had, at most ten years; None where it never ends."""
        if self.expires_at is None:
            return None
        had = self.expires_at - (self.renewed_at or self.created_at)
        return datetime.now(UTC) + min(had, _LONGEST)

    def revoke(self) -> None:
        self.is_revoked = True
        self.save(update_fields=["is_revoked"])

    @property
    def scopes(self) -> tuple[Scope, ...]:
        given = (self.can_chat, self.can_embed, self.can_manage, self.can_read_metrics)
        return tuple(scope for scope, may in zip(SCOPES, given, strict=True) if may)

    @property
    def state(self) -> str:
        """Its state: revoked, expired or good."""
        if self.is_revoked:
            return "revoked"
        is_over = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        return "expired" if is_over else "good"

    def record_use(self, at: datetime) -> None:
        """Record a use, at most once a minute."""
        if self.last_used_at is None or at - self.last_used_at >= _SEEN_EVERY:
            self.last_used_at = at
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=at)  # no signal: nothing else changed


class KeyDayManager(models.Manager["KeyDay"]):
    def last_days(self, key: ApiKey, days: int = 30) -> Iterable["KeyDay"]:
        """The last days up to this one, oldest first, with those on which nothing was used."""
        first = (today() - timedelta(days=days - 1)).date()
        used = {row.day: row for row in self.filter(key=key, day__gte=first)}
        every = (first + timedelta(days=number) for number in range(days))
        return [used.get(day) or KeyDay(key=key, day=day) for day in every]


class KeyDay(models.Model):
    """What one key used on one day (UTC)."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="days")
    day = models.DateField()
    requests = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)

    objects = KeyDayManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="one_row_for_a_day_of_a_key")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key} on {self.day}: {self.tokens} tokens"

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
