"""The operator's upstreams: listed, saved, removed and tested, for the admin, /api and manage.py."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from msgspec import Struct

from inference.core.errors import InvalidValue, NotFound, Unavailable
from inference.models import Upstream, UpstreamModel
from inference.serving import runtime
from inference.storage import upstream_routes
from inference.storage.database_threads import in_database
from inference.upstreams import connection
from inference.upstreams.refusals import Unanswered

MODEL_FIELDS = ("model", "name", "context_length", "most_streams", "takes_tools", "can_reason", "sees")
_MOST_NAMED = 5


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model of an upstream; `state` says in words whether it answers."""

    model: str
    name: str
    context_length: int
    most_streams: int
    takes_tools: bool
    can_reason: bool
    sees: bool
    state: str


class ListedUpstream(Struct, frozen=True, kw_only=True):
    """An upstream, without its key; `problem` is empty where it is given requests."""

    name: str
    base_url: str
    engine: str
    is_enabled: bool
    has_key: bool
    problem: str
    models: tuple[ListedModel, ...]


class Tested(Struct, frozen=True, kw_only=True):
    """What a test of an upstream found, in words, and the models that it lists."""

    answers: bool
    text: str
    models: tuple[str, ...] = ()


def listed() -> list[ListedUpstream]:
    """All upstreams; reads the database."""
    return [_listed(row) for row in Upstream.objects.prefetch_related("models")]


def status_text(row: UpstreamModel) -> str:
    """Whether a model of an upstream answers, as far as requests and checks of this process have found."""
    problem = upstream_routes.address_problem(row.upstream)
    return problem or runtime.upstreams().balancer.status_text(upstream_routes.address_of(row))


def save(
    name: str,
    base_url: str,
    models: Sequence[dict[str, object]],
    *,
    engine: str = "openai",
    key: str | None = None,
    is_enabled: bool = True,
) -> ListedUpstream:
    """Make an upstream with these models, or replace the one of this name; None keeps the key that it has.

    Each of the models has `model`, and any other of MODEL_FIELDS. Raises InvalidValue or Unavailable.
    """
    try:
        with _written(), transaction.atomic():
            known = Upstream.objects.filter(name=name).first()
            row = known or Upstream(name=name)
            row.base_url, row.engine, row.is_enabled = base_url, engine, is_enabled
            if key is not None:
                row.sealed_key = upstream_routes.seal(checked_key(key))
            row.full_clean()
            check_host(row)
            row.save()
            row.models.all().delete()
            for number, fields in enumerate(models):
                _save_model(row, number, fields)
    except ValidationError as error:
        raise _refused(error) from None
    runtime.catalog().forget()
    return _listed(row)


def _save_model(row: Upstream, number: int, fields: dict[str, object]) -> None:
    made = UpstreamModel(upstream=row, **fields)
    try:
        made.full_clean()
    except ValidationError as error:
        raise _refused(error, f"models.{number}") from None
    made.save()


def remove(name: str) -> None:
    """Remove an upstream and its models; raises NotFound or Unavailable."""
    with _written():
        gone, _ = Upstream.objects.filter(name=name).delete()
    if not gone:
        raise _unknown(name)
    runtime.catalog().forget()


async def test(name: str) -> Tested:
    """Ask an upstream for its models now; raises NotFound."""
    row = await in_database(lambda: Upstream.objects.filter(name=name).prefetch_related("models").first())
    if row is None:
        raise _unknown(name)
    if problem := upstream_routes.address_problem(row):
        return Tested(answers=False, text=f"The upstream {name} is not asked: {problem}.")
    return await _probe(row)


def checked_key(key: str) -> str:
    """The key; raises ValidationError for one that cannot be sent in a header."""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValidationError({"key": "A key has ASCII letters, digits and signs, and no blanks."})
    return key


def check_host(row: Upstream) -> None:
    """Raise ValidationError for a host that MLX_SERVER_UPSTREAM_HOSTS does not have."""
    if problem := upstream_routes.host_problem(row):
        raise ValidationError({"base_url": f"{problem}; the setting names the hosts that are allowed."})


async def _probe(row: Upstream) -> Tested:
    client = await asyncio.to_thread(connection.new_client, connection.CHECK_S)
    async with client:
        try:
            found = await connection.listed_models(client, upstream_routes.address_at(row))
        except Unanswered as error:
            _note(row, error.reason)
            return Tested(answers=False, text=f"The upstream {row.name} does not answer: {error.reason}.")
    _note(row)
    names = tuple(str(one.get("id", ""))[:200] for one in found)
    missing = [model.name_there for model in row.models.all() if model.name_there not in names]
    text = f"The upstream {row.name} answers and lists {len(names)} model{'' if len(names) == 1 else 's'}."
    if missing:
        there = ", ".join(names[:_MOST_NAMED]) or "none"
        text += f" It does not list {', '.join(missing[:_MOST_NAMED])}; it has {there}."
    return Tested(answers=True, text=text, models=names)


def _note(row: Upstream, reason: str = "") -> None:
    """Note what a test has found for the requests to come: it failed for this reason, or it answers."""
    balancer = runtime.upstreams().balancer
    for address in map(upstream_routes.address_of, row.models.all()):
        if reason:
            balancer.note_failure(address, reason)
        else:
            balancer.health_of(address).note_answer()


def _listed(row: Upstream) -> ListedUpstream:
    models = [
        ListedModel(state=status_text(model), **{name: getattr(model, name) for name in MODEL_FIELDS})
        for model in row.models.all()
    ]
    return ListedUpstream(
        name=row.name,
        base_url=row.base_url,
        engine=row.engine,
        is_enabled=row.is_enabled,
        has_key=bool(row.sealed_key),
        problem=upstream_routes.address_problem(row),
        models=tuple(models),
    )


@contextmanager
def _written() -> Iterator[None]:
    """Raise Unavailable for a database that cannot be written to."""
    try:
        yield
    except DatabaseError:
        raise Unavailable("The database cannot be written to now; try again.", retry_after=5) from None


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no upstream {name[:64]!r}.", param="name")


def _refused(error: ValidationError, within: str = "") -> InvalidValue:
    """The error for a field that is not valid; `within` is where its object is in what was sent."""
    field, texts = next(iter(error.message_dict.items()))
    place = [part for part in (within, field) if part and part != "__all__"]
    return InvalidValue(" ".join(texts), param=".".join(place) or None)
