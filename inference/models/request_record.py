"""Records of requests, and the captures during which their text is stored."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet

from inference.models.api_key import ApiKey

LONGEST_CAPTURE = timedelta(days=7)


class RequestRecordManager(models.Manager["RequestRecord"]):
    def retain(self, *, days: int, rows: int) -> None:
        """Forget what is older than so many days, and all but the newest rows."""
        self.filter(at__lt=datetime.now(UTC) - timedelta(days=days)).delete()
        newest = self.order_by("-pk").values_list("pk", flat=True).first()
        if newest is not None:
            self.filter(pk__lte=newest - rows).delete()

    def with_captured_text(self, records: "QuerySet[RequestRecord]") -> "QuerySet[RequestRecord]":
        """The records with captured text."""
        return records.exclude(prompt="", answer="")

    def delete_captured_text(self, records: "QuerySet[RequestRecord]") -> int:
        """Delete the captured text of these records, keep the rest, and return how many had any."""
        return self.with_captured_text(records).update(prompt="", answer="")


class RequestRecord(models.Model):
    """One request that is over; phases are in milliseconds."""

    at = models.DateTimeField("time", db_index=True)
    principal_kind = models.CharField("kind of caller", max_length=10)
    principal = models.CharField("caller", max_length=200, blank=True)
    key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, related_name="records", verbose_name="API key"
    )
    model = models.CharField(max_length=500)
    kind = models.CharField(max_length=20)
    dialect = models.CharField("API", max_length=30, blank=True, default="")
    request_id = models.CharField("request id", max_length=128, blank=True, default="")
    noted = models.TextField("noted fields", blank=True, default="")  # as x-mlx-noted lists them
    queued_ms = models.PositiveBigIntegerField("queued")
    loading_ms = models.PositiveBigIntegerField("loading")
    prefill_ms = models.PositiveBigIntegerField("prefill")
    decode_ms = models.PositiveBigIntegerField("decode")
    paused_ms = models.PositiveBigIntegerField("paused", default=0)
    queue_place = models.PositiveIntegerField(
        "place in the queue", default=0
    )  # the first; 0: it did not wait
    own_ahead = models.PositiveIntegerField("earlier answers of its account", default=0)
    prompt_tokens = models.PositiveBigIntegerField("prompt tokens")
    completion_tokens = models.PositiveBigIntegerField("answer tokens")
    cached_tokens = models.PositiveBigIntegerField("cached prompt tokens")
    drafted_tokens = models.PositiveBigIntegerField("drafted answer tokens", default=0)
    accepted_tokens = models.PositiveBigIntegerField("accepted drafts", default=0)
    finish = models.CharField("finish reason", max_length=200, blank=True)
    error = models.CharField(max_length=100, blank=True)
    has_left = models.BooleanField("client disconnected", default=False)
    prompt = models.TextField(blank=True)  # this and the answer only while capture is on
    answer = models.TextField(blank=True)

    objects = RequestRecordManager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "request"
        default_permissions = ["view"]
        permissions = [("read_captured", "Can read captured prompts and answers")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model}"


def _in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def check_end(until: datetime) -> None:
    """ValidationError unless it lies ahead, and not too far."""
    if not datetime.now(UTC) < until <= datetime.now(UTC) + LONGEST_CAPTURE:
        raise ValidationError(f"Enter a future time, at most {LONGEST_CAPTURE.days} days.")


class CaptureManager(models.Manager["Capture"]):
    def end(self) -> datetime | None:
        """When the capture that goes on now will be over; None when there is none."""
        ahead = self.filter(until__gt=datetime.now(UTC)).order_by("-until")
        return ahead.values_list("until", flat=True).first()

    def records(self, captures: "Iterable[Capture]") -> "QuerySet[RequestRecord]":
        """The requests that came while one of these captures went on."""
        spans = [Q(at__range=(capture.began_at, capture.until)) for capture in captures]
        return RequestRecord.objects.filter(reduce(or_, spans, Q(pk__in=[])))


class Capture(models.Model):
    """A time during which prompts and answers are kept with the record of their requests."""

    until = models.DateTimeField(
        "ends",
        default=_in_an_hour,
        validators=[check_end],
        help_text="In UTC. The capture ends by itself, within a week.",
    )
    reason = models.CharField(max_length=200, help_text="Shown to all users of the admin.")
    began_at = models.DateTimeField("started", auto_now_add=True)
    began_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name="started by"
    )

    objects = CaptureManager()

    class Meta:
        ordering = ["-began_at"]
        default_permissions = ["add", "change", "view"]

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason}"

    @property
    def is_on(self) -> bool:
        return self.until > datetime.now(UTC)

    def stop(self) -> None:
        self.until = datetime.now(UTC)
        self.save(update_fields=["until"])
