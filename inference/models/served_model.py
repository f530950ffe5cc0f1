"""The operator's choices for each model."""

import unicodedata
from collections.abc import Iterable, Mapping

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from inference.adapters import ADAPTERS
from inference.core.model_card import Choice, Finding
from inference.core.rank_hosts import MAX_RANKS
from inference.core.requests import Sampling
from inference.models.sampling_fields import SAMPLING_FIELDS, at_most, check_above_zero

LONGEST_ALIAS = 200
MOST_ALIASES = 32
_SHORTEST_BEGINNING = 3  # of an alias for all names that begin with it
_LONGEST_TTL_S = 10 * 365 * 86_400


def check_idle_ttl(seconds: float) -> None:
    """ValidationError unless it is -1 or a sensible number of seconds."""
    if seconds != -1 and not 0 <= seconds <= _LONGEST_TTL_S:
        raise ValidationError("Give 0 or more seconds, or -1 to keep the model without a time limit.")


_NOTHING_CHOSEN = models.Q(
    is_pinned=False,
    idle_ttl_s__isnull=True,
    aliases=[],
    adapter="",
    is_enabled=True,
    context_cap__isnull=True,
    kv_bits__isnull=True,
    speculation="",
    draft_model="",
    ranks__isnull=True,
    **{f"{name}__isnull": True for name in SAMPLING_FIELDS},
)


class ServedModelManager(models.Manager["ServedModel"]):
    def sync(self, names: Iterable[str]) -> None:
        """Have a row for each model on disk, and for those missing for now that something was chosen for."""
        wanted = set(names)
        known = set(self.values_list("name", flat=True))
        self.bulk_create([ServedModel(name=name) for name in wanted - known], ignore_conflicts=True)
        if gone := known - wanted:  # looking takes no lock on the database while nothing has changed
            self.filter(_NOTHING_CHOSEN, profiles__isnull=True, name__in=gone).delete()

    def choices(self) -> Mapping[str, Choice]:
        """What was chosen, for each model that something was chosen for."""
        chosen = self.filter(~_NOTHING_CHOSEN | models.Q(profiles__isnull=False)).distinct()
        return {model.name: model.choice for model in chosen.prefetch_related("profiles")}


class ServedModel(models.Model):
    """One model this site may serve; its state lives in the pool, its facts on disk."""

    name = models.CharField(max_length=500, unique=True)
    found_at = models.DateTimeField(auto_now_add=True)
    is_pinned = models.BooleanField(
        "pinned", default=False, help_text="Never evicted, and loaded when the site starts."
    )
    idle_ttl_s = models.FloatField(
        "unload when idle",
        null=True,
        blank=True,
        validators=[check_idle_ttl],
        help_text="Seconds without a request before it is unloaded. -1: never. Empty: the site's setting.",
    )
    aliases = models.JSONField(
        default=list,
        blank=True,
        help_text=(
            "Other names that requests may use for this model, one per line; `claude-*` matches all names "
            "with this prefix."
        ),
    )

    adapter = models.CharField(
        "chat adapter",
        max_length=40,
        blank=True,
        help_text="How prompts are formatted and answers are parsed, from the next load.",
    )
    is_enabled = models.BooleanField(
        "enabled",
        default=True,
        help_text="A disabled model is not listed and not loaded; if it is in memory, it is unloaded.",
    )
    context_cap = models.PositiveIntegerField(
        "longest context",
        null=True,
        blank=True,
        validators=[MinValueValidator(16)],
        help_text=(
            "Maximum tokens of prompt and answer together, from the next load. Empty: as many as fit into "
            "memory."
        ),
    )
    kv_bits = models.PositiveSmallIntegerField(
        "KV cache",
        null=True,
        blank=True,
        choices=[(0, "not quantised"), (8, "8 bits"), (4, "4 bits")],
        help_text="Fewer bits leave memory for more requests, from the next load. Empty: the site's setting.",
    )
    speculation = models.CharField(
        "speculative decoding",
        max_length=10,
        blank=True,
        choices=[("lookup", "Prompt lookup"), ("off", "Off")],
        help_text="Drafts several tokens and verifies them together. Empty: the site's setting.",
    )
    draft_model = models.CharField(
        max_length=500,
        blank=True,
        help_text="A smaller model with the same vocabulary that drafts tokens, from the next load.",
    )
    ranks = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RANKS)],
        help_text="Processes that compute it together, each with a part of its weights, from the next load. "
        "Empty: one.",
    )
    temperature = at_most(
        2, "0 to 2; the default of requests that do not set it. Empty: the model's own.", MinValueValidator(0)
    )
    top_p = at_most(1, "Above 0, at most 1.", check_above_zero)
    top_k = models.PositiveIntegerField(null=True, blank=True, help_text="0: all tokens.")
    min_p = at_most(1, "0 to 1.", MinValueValidator(0))
    repetition_penalty = at_most(2, "Above 0, at most 2; 1: no penalty.", check_above_zero)
    findings = models.JSONField(
        null=True, editable=False, help_text="What the self-test found when it was last loaded; null before."
    )

    objects = ServedModelManager()

    class Meta:
        ordering = ["name"]
        verbose_name = "model"
        default_permissions = ["view"]
        permissions = [
            ("ask_servedmodel", "Can chat with models"),
            ("run_servedmodel", "Can load, unload and pin models"),
            ("remove_servedmodel", "Can delete the files of models"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def choice(self) -> Choice:
        names = self.aliases if isinstance(self.aliases, list) else []
        aliases = tuple(name for name in names if isinstance(name, str))
        return Choice(
            is_pinned=self.is_pinned,
            idle_ttl_s=self.idle_ttl_s,
            aliases=aliases,
            adapter=self.adapter,
            is_enabled=self.is_enabled,
            context_cap=self.context_cap,
            kv_bits=self.kv_bits,
            speculation=self.speculation,
            draft_model=self.draft_model,
            ranks=self.ranks or 1,
            sampling=Sampling(**{name: getattr(self, name) for name in SAMPLING_FIELDS}),
            profiles=tuple(profile.profile for profile in self.profiles.all()) if self.pk else (),
        )

    @property
    def stored_findings(self) -> tuple[Finding, ...] | None:
        """Those of the last self-test; None before the first."""
        return None if self.findings is None else msgspec.convert(self.findings, tuple[Finding, ...])

    def add_aliases(self, names: Iterable[str]) -> tuple[str, ...]:
        """Add aliases that it does not have, save them, and return those; raises ValidationError."""
        new = tuple(name for name in names if name not in self.aliases)
        self.aliases = [*self.aliases, *new]
        if problem := self._aliases_problem():
            raise ValidationError({"aliases": problem})
        self.save(update_fields=["aliases"])
        return new

    def clean(self) -> None:
        if problem := self._aliases_problem():
            raise ValidationError({"aliases": problem})
        if self.adapter and self.adapter not in (known := sorted(one.name for one in ADAPTERS)):
            raise ValidationError(
                {"adapter": (f"This adapter does not exist. The adapters are {', '.join(known)}.")}
            )

    def _aliases_problem(self) -> str:
        """Why these aliases are not valid; empty when they are."""
        names = self.aliases
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return "Aliases are a list of names."
        if len(names) > MOST_ALIASES:
            return f"A model can have at most {MOST_ALIASES} aliases."
        if problem := next(filter(None, map(_alias_problem, names)), ""):
            return problem
        if len(set(names)) < len(names):
            return "An alias is given twice."
        if self.name in names:
            return f"{self.name!r} is already its name."
        return next((f"{name!r} already names another model." for name in names if name in self._taken()), "")

    def _taken(self) -> set[str]:
        """Every name and alias of the other models."""
        others = ServedModel.objects.exclude(pk=self.pk)
        aliases = {alias for other in others for alias in other.aliases if isinstance(alias, str)}
        return aliases | {other.name for other in others}


def _alias_problem(name: str) -> str:
    if not name.strip() or name != name.strip():
        return "An alias needs at least one letter and no spaces around it."
    if len(name) > LONGEST_ALIAS:
        return f"An alias can have at most {LONGEST_ALIAS} characters."
    # Cc control, Cf invisible, Cs half surrogates, Zl and Zp breaks of lines: none can be read or typed.
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return "An alias cannot have control characters."
    if "*" in name[:-1] or 0 < name.find("*") < _SHORTEST_BEGINNING or name == "*":
        return (
            "In an alias, '*' is allowed only at the end, after at least three characters, such as "
            "`claude-*`."
        )
    return ""
