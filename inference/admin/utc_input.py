"""One field for a date and a time in UTC, in the place of Django's two with their scripts."""

from typing import Any

from django import forms
from django.db import models


class UtcInput(forms.DateTimeInput):
    """The browser's own control. It has no time zone, so the field's help says that it is UTC."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"step": 1}, format="%Y-%m-%dT%H:%M:%S")


OVERRIDES: dict[Any, dict[str, Any]] = {
    models.DateTimeField: {"form_class": forms.DateTimeField, "widget": UtcInput}
}
