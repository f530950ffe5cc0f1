"""Limits of an API key, an account or a group, and what accounts use on each day."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from inference.core.principal import Allowance

LIMITS = ("requests_per_minute", "tokens_per_day", "concurrent_streams")  # the fields of UsageLimits
MOST_REQUESTS = 10_000  # a minute: each is remembered for as long


def today() -> datetime:
    """When this day began; days are those of UTC, whatever the clock on the wall says."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class UsageLimits(models.Model):
    """The limits that may be set; an empty one says nothing."""

    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_REQUESTS)],
        help_text="Empty: no limit.",
    )
    tokens_per_day = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Prompts and answers together, counted from midnight UTC. Empty: no limit.",
    )
    concurrent_streams = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Answers generated at the same time. Empty: no limit.",
    )

    class Meta:
        abstract = True

    @property
    def allowance(self) -> Allowance:
        return Allowance(
            requests_per_minute=self.requests_per_minute,
            tokens_per_day=self.tokens_per_day,
            streams=self.concurrent_streams,
        )


class AccountUsageLimits(UsageLimits):
    """The limits that only accounts have."""

    storage_mb = models.PositiveIntegerField(
        "storage in megabytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Chats, attached files, stored responses and conversations. Empty: no limit.",
    )

    class Meta:
        abstract = True


class AccountLimits(AccountUsageLimits):
    """The limits of one account: of its browsers and all of its keys together."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="limits")

    class Meta:
        verbose_name = verbose_name_plural = "limits"

    def __str__(self) -> str:
        return f"the limits of {self.user}"


class GroupLimits(AccountUsageLimits):
    """The limits of each account in a group."""

    group = models.OneToOneField(Group, models.CASCADE, related_name="limits")

    class Meta:
        verbose_name = verbose_name_plural = "limits of each member"

    def __str__(self) -> str:
        return f"the limits of each member of {self.group}"


class AccountDay(models.Model):
    """What one account used on one day (UTC), in its browsers and with its keys."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="days")
    day = models.DateField()
    requests = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="one_row_for_a_day_of_an_account")
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user} on {self.day}: {self.tokens} tokens"

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
