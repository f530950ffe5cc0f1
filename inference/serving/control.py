"""Operators' actions: load, unload, pin and name models, stop requests.

The API, the admin and commands call it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from inference.core.errors import InvalidValue, ModelNotFound, NotFound, Unavailable
from inference.core.model_card import ModelCard
from inference.core.pool_state import ResidentModel
from inference.core.threads import CATALOG, FILES
from inference.models import ServedModel
from inference.pool.scheduling import refusals
from inference.repository import deletion
from inference.serving import action_preview, model_settings, runtime
from inference.serving.action_preview import ActionPreview
from inference.serving.active_requests import STREAMS, StreamView
from inference.serving.model_settings import ModelSettings
from inference.storage.database_threads import in_database

_CANNOT_WRITE = "The database cannot be written now; try again shortly."


async def load(model_id: str) -> ResidentModel:
    """Begin to load a model; raises the ServerError that a request would be refused with."""
    name = await _name_of(model_id)
    await runtime.pool().load(name)
    return runtime.pool().snapshot().of(name)


async def preview_load(model_id: str) -> ActionPreview:
    """What `load` would do now; raises ModelNotFound."""
    name = await _name_of(model_id)
    return (await CATALOG.run(action_preview.of_loads, [name]))[0]


async def unload(model_id: str) -> ResidentModel:
    """Unload a model once its last stream has ended. Idempotent."""
    name = await _name_of(model_id)
    await runtime.pool().unload(name)
    return runtime.pool().snapshot().of(name)


async def unload_now(model_id: str) -> ResidentModel:
    """Unload a model without waiting for its streams: each of them ends with StoppedByOperator."""
    name = await _name_of(model_id)
    await runtime.pool().unload(name, is_now=True)
    for stream in await CATALOG.run(_streams_of, name):
        with suppress(NotFound):  # it has ended meanwhile
            STREAMS.stop(stream.id)
    return runtime.pool().snapshot().of(name)


async def reload(model_id: str) -> ResidentModel:
    """Unload a model once its last stream has ended, then load it with its present settings.

    Raises ModelNotFound or ModelLoadFailed, and leaves the model alone, if it could not be loaded again.
    """
    card = await _card_of(await _name_of(model_id))
    if not card.is_servable:
        raise refusals.problem_error(card)
    await unload(card.id)
    return await load(card.id)


async def remove(model_id: str) -> str:
    """Delete a model's files, or its link, and return what was done as a text.

    Raises InvalidValue while it is in memory or if its files are not this site's, Unavailable if some of
    them could not be deleted.
    """
    card = await _card_of(model_id)
    _refuse_in_memory(card.id)
    try:
        return (await FILES.run(deletion.remove, card, settings.CONFIG.models_path)).done
    except deletion.NotDeletable as error:
        raise InvalidValue(str(error), param="model") from None
    except OSError as error:
        raise Unavailable(
            f"Not all files of {card.id} could be deleted: {error.strerror or error}. Look at {card.path} "
            "and the permissions there."
        ) from None
    finally:
        runtime.catalog().forget()


async def forget(model_id: str) -> None:
    """Delete the settings of a model whose folder is gone; raises InvalidValue or Unavailable."""
    if await CATALOG.run(runtime.catalog().exact, model_id):
        raise InvalidValue(f"The folder of {model_id} exists; change its settings instead.", param="model")
    _refuse_in_memory(model_id)
    try:
        await ServedModel.objects.filter(name=model_id).adelete()
    except DatabaseError:
        raise Unavailable(_CANNOT_WRITE, retry_after=5) from None
    runtime.catalog().forget()


async def delete(model_id: str) -> str:
    """Delete a model's files, or the settings of one whose folder is gone; returns what was done.

    Raises ModelNotFound, InvalidValue or Unavailable.
    """
    if await CATALOG.run(runtime.catalog().exact, model_id):
        return await remove(model_id)
    if not await ServedModel.objects.filter(name=model_id).aexists():
        raise _unknown(model_id)
    await forget(model_id)
    return f"The settings of {model_id} are deleted."


async def pin(model_id: str) -> ResidentModel:
    """Never evict a model from now on, and load it whenever the site starts."""
    return await _set_pinned(model_id, True)


async def unpin(model_id: str) -> ResidentModel:
    return await _set_pinned(model_id, False)


async def set_aliases(model_id: str, aliases: Sequence[str]) -> ResidentModel:
    """Replace a model's aliases; raises ModelNotFound, InvalidValue or Unavailable."""
    name = await in_database(partial(model_settings.save_aliases, model_id, aliases))
    await refresh(name)
    return runtime.pool().snapshot().of(name)


async def change_settings(model_id: str, changes: Mapping[str, Any], reset: Sequence[str]) -> ModelSettings:
    """Change some of a model's settings, and take others back; as `model_settings.save`."""
    saved = await in_database(partial(model_settings.save, model_id, changes, reset))
    await refresh(saved.model)
    return saved


async def refresh(model_id: str) -> None:
    """Have the pool apply a model's present settings."""
    runtime.catalog().forget()
    await runtime.pool().refresh(model_id)


async def stop(stream_id: str) -> None:
    """Stop a request in progress; raises NotFound when it has ended."""
    STREAMS.stop(stream_id)


async def _set_pinned(model_id: str, is_pinned: bool) -> ResidentModel:
    name = await _name_of(model_id)
    try:
        await ServedModel.objects.aupdate_or_create(name=name, defaults={"is_pinned": is_pinned})
    except DatabaseError:
        raise Unavailable(_CANNOT_WRITE, retry_after=5) from None
    await refresh(name)
    return runtime.pool().snapshot().of(name)


def _streams_of(name: str) -> list[StreamView]:
    """The requests in progress for this model, by its id or an alias."""
    find = runtime.catalog().find
    cards = {model: find(model) for model in {stream.model for stream in STREAMS.snapshot()}}
    ours = {name} | {model for model, card in cards.items() if card and card.id == name}
    return [stream for stream in STREAMS.snapshot() if stream.model in ours]


def _refuse_in_memory(name: str) -> None:
    state = runtime.pool().snapshot().of(name).state
    if state.is_in_memory:
        raise InvalidValue(f"The model {name} is {state}; unload it first.", param="model")


async def _card_of(name: str) -> ModelCard:
    if card := await CATALOG.run(runtime.catalog().exact, name):
        return card
    raise ModelNotFound(f"The folder of {name} no longer exists.", param="model")


async def _name_of(model_id: str) -> str:
    """The id behind an id or alias, also of a resident model whose folder is gone; raises ModelNotFound."""
    card = await CATALOG.run(runtime.catalog().find, model_id)
    if card:
        return card.id
    if any(model.id == model_id for model in runtime.pool().snapshot().models):
        return model_id
    raise _unknown(model_id)


def _unknown(model_id: str) -> ModelNotFound:
    return ModelNotFound(
        f"There is no model {model_id[:256]!r} here; GET /v1/models lists them.", param="model"
    )
