"""GET and POST /api/quantisations: models that are quantised; and POST /api/quantisations/cancel.

All need the right to download models: they too put one into the models folder.
"""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.action_history import note
from inference.core.quantisation import QuantisationSettings
from inference.core.threads import FILES
from inference.serving import quantising

router = Router()
_Name = Annotated[str, Field(min_length=1, max_length=512)]


class NewQuantisation(Strict):
    """Which model is quantised, and how; the new one is named NAME-4bit and so on unless `name` is given."""

    model: _Name
    bits: int = 4
    recipe: Annotated[str, Field(max_length=40)] = ""
    group_size: int = 64
    name: Annotated[str, Field(max_length=200)] = ""
    perplexity: bool = True


class NamedQuantisation(Strict):
    """Which one is meant, by the name of its new model."""

    name: _Name


@router.get("/quantisations")
async def show(request: HttpRequest) -> HttpResponse:
    """Those that wait, run or have ended since the site started, the newest first."""
    return json_answer(await FILES.run(quantising.register().all))


@router.post("/quantisations")
async def start(request: HttpRequest) -> HttpResponse:
    """Start one, and answer with its place; GET has its progress."""
    wanted = await strict_json.read(request, NewQuantisation)
    how = QuantisationSettings(bits=wanted.bits, recipe=wanted.recipe, group_size=wanted.group_size)

    begun = await FILES.run(quantising.begin, wanted.model, how, name=wanted.name, measures=wanted.perplexity)
    await note(request, "quantisation", begun.name, f"Started to quantise {wanted.model}.")
    return json_answer(begun)


@router.post("/quantisations/cancel")
async def cancel(request: HttpRequest) -> HttpResponse:
    """Cancel one; nothing of it is left. Idempotent."""
    named = await strict_json.read(request, NamedQuantisation)
    if await FILES.run(quantising.register().cancel, named.name):
        await note(request, "quantisation", named.name, "Cancelled the quantisation.")
    return json_answer(await FILES.run(quantising.register().all))
