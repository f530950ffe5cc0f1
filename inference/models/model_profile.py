"""Profiles of a model: named settings that requests choose as `model:profile`."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from inference.core.profile import Profile
from inference.core.requests import Sampling
from inference.models.sampling_fields import SAMPLING_FIELDS, at_most, check_above_zero

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TAG = "latest"  # clients of Ollama write it behind every name
_LONGEST_SYSTEM = 100_000
_MOST_OPTIONS = 16
_OPTION = (bool, int, float, str)


class ModelProfile(models.Model):
    """One profile of one model; what is empty is as the model has it."""

    model = models.ForeignKey("inference.ServedModel", models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=64, help_text="Requests name it as `model:name`.")
    system = models.TextField(
        "system text",
        blank=True,
        max_length=_LONGEST_SYSTEM,
        help_text=(
            "Placed before a request's own system message, or used as the system message if there is none."
        ),
    )
    temperature = at_most(2, "0 to 2.", MinValueValidator(0))
    top_p = at_most(1, "Above 0 to 1.", check_above_zero)
    top_k = models.PositiveIntegerField(null=True, blank=True, help_text="0 for all tokens.")
    min_p = at_most(1, "0 to 1.", MinValueValidator(0))
    repetition_penalty = at_most(2, "Above 0 to 2; 1 for none.", check_above_zero)
    template_options = models.JSONField(
        default=dict,
        blank=True,
        help_text='Variables of the chat template, such as {"enable_thinking": false} or '
        '{"reasoning_effort": "low"}.',
    )

    class Meta:
        ordering = ["name"]
        verbose_name = "profile"
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="one_profile_of_a_name")]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def profile(self) -> Profile:
        options = self.template_options if isinstance(self.template_options, dict) else {}
        return Profile(
            name=self.name,
            system=self.system.strip(),
            sampling=Sampling(**{name: getattr(self, name) for name in SAMPLING_FIELDS}),
            template_options=tuple(one for one in options.items() if isinstance(one[1], _OPTION)),
        )

    def clean(self) -> None:
        # Only forms check the length of a TextField.
        too_long = (
            f"Give at most {_LONGEST_SYSTEM:,} characters." if len(self.system) > _LONGEST_SYSTEM else ""
        )
        options = _options_problem(self.template_options)
        problems = {"name": self._name_problem(), "system": too_long, "template_options": options}
        if wrong := {field: text for field, text in problems.items() if text}:
            raise ValidationError(wrong)

    def _name_problem(self) -> str:
        if not _NAME.fullmatch(self.name):
            return "A name has only letters, digits, '.', '_' and '-', and begins with a letter or digit."
        return f"{_TAG!r} is a tag, not a name." if self.name == _TAG else ""


def _options_problem(options: Any) -> str:
    """Why these are no variables of a template; empty when they are."""
    if not isinstance(options, dict) or len(options) > _MOST_OPTIONS:
        return f"Give an object of at most {_MOST_OPTIONS} variables."
    if not all(isinstance(value, _OPTION) for value in options.values()):
        return "Each variable is a text, a number, true or false."
    return ""
