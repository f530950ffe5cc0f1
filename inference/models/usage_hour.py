"""What was used in each hour, by model, key and account: it outlives the records of the requests."""

from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import F

KEPT_DAYS = 91  # 90 whole days of any time zone
MOST_ROWS = 500_000
FIGURES = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens")


class UsageHourManager(models.Manager["UsageHour"]):
    def add(self, row: "UsageHour") -> None:
        """Add the figures of `row` to its hour, in the database itself: another process may do so as well."""
        kept, is_new = self.get_or_create(
            hour=row.hour,
            model=row.model,
            caller_kind=row.caller_kind,
            key_prefix=row.key_prefix,
            account=row.account,
            defaults={"key_name": row.key_name} | {name: getattr(row, name) for name in FIGURES},
        )
        if not is_new:
            more = {name: F(name) + getattr(row, name) for name in FIGURES}
            self.filter(pk=kept.pk).update(key_name=row.key_name, **more)

    def retain(self, *, days: int = KEPT_DAYS, rows: int = MOST_ROWS) -> None:
        """Forget the hours older than so many days, and all but the newest rows."""
        self.filter(hour__lt=datetime.now(UTC) - timedelta(days=days)).delete()
        newest = self.order_by("-pk").values_list("pk", flat=True).first()
        if newest is not None:
            self.filter(pk__lte=newest - rows).delete()


class UsageHour(models.Model):
    """The requests that began in one hour (UTC) to one model from one caller.

    Names are stored as they were, so that they outlive the key, the account and the model. A model that does
    not exist has the empty name: clients may send any.
    """

    hour = models.DateTimeField()
    model = models.CharField(max_length=500, blank=True)
    caller_kind = models.CharField(max_length=10)
    key_prefix = models.CharField(max_length=20, blank=True)
    key_name = models.CharField(max_length=100, blank=True)
    account = models.CharField(max_length=150, blank=True)
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)

    objects = UsageHourManager()

    class Meta:
        verbose_name = verbose_name_plural = "usage"
        default_permissions = ()  # users who may view request records may view it
        constraints = [
            # Its index begins with the hour, which every query about a range of hours uses.
            models.UniqueConstraint(
                fields=["hour", "model", "caller_kind", "key_prefix", "account"],
                name="one_row_for_an_hour_of_usage",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}, {self.hour:%Y-%m-%d %H}h: {self.requests} requests"
