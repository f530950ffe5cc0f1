"""The profiles of models: listed, saved and deleted, for /api and manage.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from msgspec import Struct

from inference.core.errors import InvalidValue, ModelNotFound, NotFound, Unavailable
from inference.core.model_card import LoraCard, ModelCard
from inference.models import ModelProfile, ServedModel
from inference.models.sampling_fields import SAMPLING_FIELDS
from inference.serving import runtime

FIELDS = ("system", *SAMPLING_FIELDS, "template_options")


class ListedProfile(Struct, frozen=True, kw_only=True):
    """A profile with the id that requests name; None where the model's own value counts."""

    id: str
    model: str
    name: str
    system: str
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    repetition_penalty: float | None
    template_options: dict[str, Any]

    @classmethod
    def of(cls, row: ModelProfile) -> "ListedProfile":
        values = {field: getattr(row, field) for field in FIELDS}
        return cls(id=f"{row.model.name}:{row.name}", model=row.model.name, name=row.name, **values)


def listed(model: str = "") -> list[ListedProfile]:
    """All profiles, or those of one model; raises ModelNotFound or InvalidValue."""
    rows = ModelProfile.objects.select_related("model").order_by("model__name", "name")
    if model:
        rows = rows.filter(model__name=_own_name(model))
    return [ListedProfile.of(row) for row in rows]


def save(model: str, name: str, fields: dict[str, Any]) -> ListedProfile:
    """Make a profile, or replace all of one; raises ModelNotFound, InvalidValue or Unavailable."""
    own = _own_name(model)
    if problem := name_problem(own, name):
        raise InvalidValue(problem, param="name")
    try:
        with _written(), transaction.atomic():
            served, _ = ServedModel.objects.get_or_create(name=own)
            known = ModelProfile.objects.filter(model=served, name=name).values_list("pk", flat=True)
            row = ModelProfile(pk=known.first(), model=served, name=name, **fields)
            row.full_clean(validate_unique=False, validate_constraints=False)
            row.save()
    except ValidationError as error:
        raise _refused(error) from None
    runtime.catalog().forget()
    return ListedProfile.of(row)


def delete(model: str, name: str) -> str:
    """Delete a profile, also of a model whose folder is gone; returns the model's own name.

    Raises NotFound, InvalidValue or Unavailable.
    """
    card = runtime.catalog().find(model)
    own = _whole(card, model).id if card else model
    with _written():
        gone, _ = ModelProfile.objects.filter(model__name=own, name=name).delete()
    if not gone:
        raise NotFound(f"There is no profile {model[:256]}:{name[:64]}.", param="name")
    runtime.catalog().forget()
    return own


def name_problem(model: str, name: str) -> str:
    """Why requests could not name this profile of a model; empty when they can."""
    card = runtime.catalog().exact(model)
    if card and any(lora.name == name for lora in card.loras):
        return "This model has an adapter of this name; choose another one."
    if taken := runtime.catalog().exact(f"{model}:{name}"):
        return f"{taken.id} is another model here; choose another name."
    return ""


@contextmanager
def _written() -> Iterator[None]:
    """Raise Unavailable for a database that cannot be written to."""
    try:
        yield
    except DatabaseError:
        raise Unavailable("The database cannot be written to now; try again.", retry_after=5) from None


def _own_name(model: str) -> str:
    card = runtime.catalog().find(model)
    if card is None:
        raise ModelNotFound(f"There is no model {model[:256]!r} here.", param="model")
    return _whole(card, model).id


def _whole(card: ModelCard, name: str) -> ModelCard:
    """The card, unless the name is that of one of its adapters or profiles: then InvalidValue."""
    variant = card.variant_of(name)
    if variant is None:
        return card
    kind = "an adapter" if isinstance(variant, LoraCard) else "a profile"
    raise InvalidValue(
        f"{name} is {kind}; profiles are those of a whole model: name {card.id}.", param="model"
    )


def _refused(error: ValidationError) -> InvalidValue:
    field, texts = next(iter(error.message_dict.items()))
    return InvalidValue(" ".join(texts), param=field if field in (*FIELDS, "name") else None)
