"""The sampling that an operator may choose, for models and for profiles."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

SAMPLING_FIELDS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def check_above_zero(value: float) -> None:
    """ValidationError for zero and less; NaN is neither."""
    if not value > 0:
        raise ValidationError("Give a number above 0.")


def at_most(most: float, help_text: str, *checks: Any) -> "models.FloatField[float | None, float | None]":
    return models.FloatField(
        null=True, blank=True, validators=[*checks, MaxValueValidator(most)], help_text=help_text
    )
