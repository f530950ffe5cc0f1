"""All changes that a mutation run makes, each with the tests of which one has to notice it."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic.fields import FieldInfo

from inference.api.openai.schemas import Strict
from tests.api.openai import mutant, reference

Owner = type[Strict]


class Mutant(NamedTuple):
    """A change of the server for one field, and the tests of which one has to fail on it."""

    change: Callable[[Any, str, str], None]  # of mutant.py
    owner: str  # the name of the field's class
    field: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.change.__name__} {self.owner}.{self.field}"


def mutants() -> list[Mutant]:
    """Return one for each field of each class: a class of several endpoints has its own proofs."""
    return list(dict.fromkeys(one for name in reference.BODIES for one in _of(name)))


def _of(name: str) -> Iterator[Mutant]:
    noted, accepted = reference.handled_by(name)["noted"], reference.ACCEPTED
    owners: dict[Owner, None] = {reference.BODIES[name]: None}
    for owner, field, path in reference.fields(reference.BODIES[name]):
        owners[owner] = None
        known = owner.model_fields[reference.attribute(owner, field)]
        if reference.is_taken(known):
            yield Mutant(mutant.act, owner.__name__, field, (accepted,))
        elif not (known.is_required() or names_its_class(field, known)):
            yield Mutant(mutant.forget, owner.__name__, field, reference.proofs_of(name, owner, path))
    for owner in owners:
        yield from (Mutant(mutant.act, owner.__name__, field, (noted,)) for field in owner.noted)


def names_its_class(field: str, known: FieldInfo) -> bool:
    """Whether the field is a `type` of one value: who reads it has the object of this class already."""
    return field == "type" and len(_values(known.annotation)) == 1


def _values(annotation: Any) -> tuple[Any, ...]:
    """The values that an annotation allows beside null, if it lists them."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(value for part in get_args(annotation) for value in _values(part))
