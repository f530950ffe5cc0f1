"""Other servers that answer for models of this site, and which models those are."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from inference.core.upstream import ENGINE_NAMES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]*")
_MOST_STREAMS = 10_000


def check_base_url(value: str) -> None:
    """ValidationError unless it is the base URL of an API, by http or https, without a password or query."""
    try:
        url = urlsplit(value)
        is_whole = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        is_whole = False
        url = urlsplit("")
    if url.scheme not in {"http", "https"} or not is_whole or not value.isascii() or not value.isprintable():
        raise ValidationError(
            "Give the base URL of the other server's API, such as http://10.0.0.5:8000/v1; it begins with "
            "http:// or https://."
        )
    if url.query or url.fragment or "@" in url.netloc or " " in value:
        raise ValidationError("Give the base URL without a user, a password, a query or blanks.")


class Upstream(models.Model):
    """One other server."""

    name = models.CharField(max_length=64, unique=True, help_text="The name of the server on this site.")
    base_url = models.CharField(
        "base URL",
        max_length=500,
        validators=[check_base_url],
        help_text="The base URL of its API, such as http://10.0.0.5:8000/v1. Redirects are not followed.",
    )
    engine = models.CharField(
        max_length=20,
        default="openai",
        choices=list(ENGINE_NAMES.items()),
        help_text="The program on the other server. It determines which fields of a request are passed on.",
    )
    sealed_key = models.TextField(default="", blank=True, editable=False)
    is_enabled = models.BooleanField("enabled", default=True, help_text="A disabled server gets no requests.")
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "upstream"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not _NAME.fullmatch(self.name):
            text = "A name has only letters, digits, '.', '_' and '-', and begins with a letter or digit."
            raise ValidationError({"name": text})
        self.base_url = self.base_url.rstrip("/")

    @property
    def host(self) -> str:
        """Its host, with the port where the URL has one, as MLX_SERVER_UPSTREAM_HOSTS may name it."""
        return urlsplit(self.base_url).netloc.lower()

    @property
    def host_name(self) -> str:
        """Its host without the port."""
        return self.host.removesuffix(f":{urlsplit(self.base_url).port}")


class UpstreamModel(models.Model):
    """A model of this site that an upstream answers for; several upstreams may answer for one."""

    upstream = models.ForeignKey(Upstream, models.CASCADE, related_name="models")
    model = models.CharField(max_length=200, help_text="The name of the model on this site.")
    name = models.CharField(
        "name there",
        max_length=200,
        blank=True,
        help_text="The name of the model on the other server. Empty: the same.",
    )
    context_length = models.PositiveIntegerField(
        default=8192,
        validators=[MinValueValidator(16), MaxValueValidator(2**31 - 1)],
        help_text="Maximum tokens of prompt and answer together, as configured on the other server.",
    )
    most_streams = models.PositiveIntegerField(
        "concurrent requests",
        default=0,
        validators=[MaxValueValidator(_MOST_STREAMS)],
        help_text=(
            "The maximum number of concurrent requests; further ones wait on this site. 0: as many as for a "
            "local model."
        ),
    )
    takes_tools = models.BooleanField("tools", default=True, help_text="Whether it can call tools.")
    can_reason = models.BooleanField(
        "reasoning", default=False, help_text="Whether it reasons before it answers."
    )
    sees = models.BooleanField("pictures", default=False, help_text="Whether it accepts pictures.")

    class Meta:
        ordering = ["model"]
        verbose_name = "model of an upstream"
        constraints = [models.UniqueConstraint(fields=["upstream", "model"], name="one_model_of_a_name")]
        default_permissions = ()

    def __str__(self) -> str:
        return self.model

    def clean(self) -> None:
        if not _MODEL.fullmatch(self.model):
            raise ValidationError(
                {"model": "An id has letters, digits, '.', '_', '-', '/', '@' and '+', and no blanks."}
            )

    @property
    def name_there(self) -> str:
        return self.name or self.model
