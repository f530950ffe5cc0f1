"""The settings of a model that an operator chooses, for the admin's form, /api and manage.py."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from msgspec import Struct

from inference.core.errors import InvalidValue, ModelNotFound, Unavailable
from inference.core.model_card import ModelCard
from inference.models import ServedModel
from inference.models.sampling_fields import SAMPLING_FIELDS
from inference.serving import runtime

AT_LOAD = ("adapter", "context_cap", "kv_bits", "speculation", "draft_model", "ranks")
FIELDS = ("is_enabled", "idle_ttl_s", *AT_LOAD, *SAMPLING_FIELDS)


class ModelSettings(Struct, frozen=True, kw_only=True):
    """The settings of one model; None or an empty text is the site's setting, or the model's own value."""

    model: str
    is_enabled: bool
    idle_ttl_s: float | None
    adapter: str
    context_cap: int | None
    kv_bits: int | None
    speculation: str
    draft_model: str
    ranks: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    repetition_penalty: float | None
    applies_at_load: bool = False  # whether the model in memory still has earlier ones

    @classmethod
    def of(cls, row: ServedModel, *, applies_at_load: bool = False) -> "ModelSettings":
        values = {field: getattr(row, field) for field in FIELDS}
        return cls(model=row.name, applies_at_load=applies_at_load, **values)


def of(model: str) -> ModelSettings:
    """The settings of a model, by its id or an alias; raises ModelNotFound."""
    name = own_name(model)
    return ModelSettings.of(ServedModel.objects.filter(name=name).first() or ServedModel(name=name))


def save(model: str, changes: Mapping[str, Any], reset: Sequence[str] = ()) -> ModelSettings:
    """Change these settings of a model, and take others back; those that are not named stay.

    Raises ModelNotFound, InvalidValue with the name of the setting, or Unavailable.
    """
    name = own_name(model)
    with _written():
        row = ServedModel.objects.filter(name=name).first() or ServedModel(name=name)
        before, unset = ModelSettings.of(row), ServedModel()
        for field in reset:
            setattr(row, field, getattr(unset, field))
        for field, value in changes.items():
            setattr(row, field, value)
        _check(row)
        row.save()
    runtime.catalog().forget()
    is_loaded = runtime.pool().snapshot().of(name).state.is_in_memory
    waits = any(getattr(row, field) != getattr(before, field) for field in AT_LOAD)
    return ModelSettings.of(row, applies_at_load=is_loaded and row.is_enabled and waits)


def save_aliases(model: str, aliases: Sequence[str]) -> str:
    """Replace a model's aliases, and return its id; raises ModelNotFound, InvalidValue or Unavailable."""
    name = own_name(model)
    with _written(aliases="alias_names"):
        row, _ = ServedModel.objects.get_or_create(name=name)
        row.aliases = []
        row.add_aliases(aliases)
    runtime.catalog().forget()
    return name


def own_name(model: str) -> str:
    """The id that an id or an alias means, also of a model whose folder is gone; raises ModelNotFound."""
    if card := runtime.catalog().find(model):
        return card.id
    if ServedModel.objects.filter(name=model).exists():
        return model
    raise ModelNotFound(f"There is no model {model[:256]!r} here.", param="model")


def context_problem(card: ModelCard | None, cap: int | None) -> str:
    """Why a model cannot have this longest context; empty when it can."""
    if not cap or card is None or cap <= card.longest_context:
        return ""
    own = f"{card.longest_context:,}"
    return f"The model supports {own} tokens: enter fewer, or leave this empty to use all that fit."


def ranks_problem(card: ModelCard | None, ranks: int | None) -> str:
    """Why a model cannot have this many ranks; empty when it can."""
    if not ranks or ranks == 1:
        return ""
    machines = runtime.rank_setup().hosts
    if machines and ranks > len(machines.hosts):
        return f"The hosts file names {len(machines.hosts)} machines; enter fewer."
    if card and (card.is_remote or card.kind != "chat"):
        return "Only a model that generates text here can have several ranks."
    return ""


def possible_drafts(model: str) -> list[str]:
    """The other models that can draft for a model, by name."""
    cards = runtime.catalog().scan()
    return sorted(card.id for card in cards if card.id != model and _can_draft(card))


def _can_draft(card: ModelCard) -> bool:
    return card.is_servable and card.kind == "chat" and not card.is_remote


def _draft_problem(model: str, draft: str) -> str:
    if not draft or draft in (known := possible_drafts(model)):
        return ""
    return f"{draft[:256]!r} cannot draft for it; these can: {', '.join(known) or 'none'}."


def _check(row: ServedModel) -> None:
    """Raise ValidationError for settings that this model cannot have."""
    row.full_clean(validate_unique=False, exclude={"aliases"})
    card = runtime.catalog().exact(row.name)
    before = ServedModel.objects.filter(pk=row.pk).values_list("draft_model", flat=True).first()
    problems: dict[str, Callable[[], str]] = {
        "context_cap": lambda: context_problem(card, row.context_cap),
        "ranks": lambda: ranks_problem(card, row.ranks),
        "draft_model": lambda: "" if row.draft_model == before else _draft_problem(row.name, row.draft_model),
    }
    if wrong := {field: text for field, problem in problems.items() if (text := problem())}:
        raise ValidationError(wrong)


@contextmanager
def _written(**sent_names: str) -> Iterator[None]:
    """Raise InvalidValue for what is not valid, and Unavailable for a database that cannot be written to.

    `sent_names` are what clients call fields that have other names here.
    """
    try:
        yield
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise InvalidValue(" ".join(texts), param=sent_names.get(field, field)) from None
    except DatabaseError:
        raise Unavailable("The database cannot be written to now; try again.", retry_after=5) from None
