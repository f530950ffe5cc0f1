"""POST /api/models/load, unload, pin, unpin and aliases, each of which answers with the model's place in the
pool, and preview, which answers with what a load would do."""

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.context_fields import context_fields
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.core.pool_state import ResidentModel
from inference.core.threads import CATALOG
from inference.serving import control, runtime

router = Router()
_MOST_ALIASES = 1000  # in a body; how many a model can have is its own rule


class NamedModel(Strict):
    """Which model is meant, by its id or an alias."""

    model: Annotated[str, Field(min_length=1, max_length=512)]


class NewAliases(NamedModel):
    """All aliases that the model is to have."""

    alias_names: Annotated[list[str], Field(max_length=_MOST_ALIASES)]


@router.post("/models/load")
async def load(request: HttpRequest) -> HttpResponse:
    """Begin to load a model; GET /api/pool has its progress."""
    return _state_of(await control.load((await strict_json.read(request, NamedModel)).model))


@router.post("/models/preview")
async def preview(request: HttpRequest) -> HttpResponse:
    """What a load would do now, and the context that the model would have; nothing is decided or reserved."""
    name = (await strict_json.read(request, NamedModel)).model
    answer = msgspec.to_builtins(await control.preview_load(name))
    if card := await CATALOG.run(runtime.catalog().find, name):
        answer |= context_fields(*runtime.pool().context_fits(card))
    return json_answer(answer)


@router.post("/models/unload")
async def unload(request: HttpRequest) -> HttpResponse:
    """Unload a model once its streams have ended."""
    return _state_of(await control.unload((await strict_json.read(request, NamedModel)).model))


@router.post("/models/pin")
async def pin(request: HttpRequest) -> HttpResponse:
    """Keep a model from being evicted, and load it whenever the site starts."""
    return _state_of(await control.pin((await strict_json.read(request, NamedModel)).model))


@router.post("/models/unpin")
async def unpin(request: HttpRequest) -> HttpResponse:
    return _state_of(await control.unpin((await strict_json.read(request, NamedModel)).model))


@router.post("/models/aliases")
async def set_aliases(request: HttpRequest) -> HttpResponse:
    """Replace the other names that requests may use for a model."""
    wanted = await strict_json.read(request, NewAliases)
    return _state_of(await control.set_aliases(wanted.model, wanted.alias_names))


def _state_of(model: ResidentModel) -> HttpResponse:
    return json_answer(model)
