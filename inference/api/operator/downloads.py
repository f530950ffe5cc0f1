"""GET and POST /api/downloads: models that come from the hub; and POST /api/downloads/cancel and discard."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.action_history import note
from inference.core.threads import FILES
from inference.serving import runtime
from inference.serving.discovery.hub_questions import hub_errors, id_of

router = Router()


class HubModelName(Strict):
    """Which model is meant: its id on the hub, or the address of its page there."""

    model: Annotated[str, Field(min_length=1, max_length=512)]

    @property
    def id(self) -> str:
        return id_of(self.model)


@router.get("/downloads")
async def show(request: HttpRequest) -> HttpResponse:
    """Those that run or have ended since the site started, the newest first, then what earlier ones left."""
    return json_answer(await FILES.run(runtime.downloads().all))


@router.post("/downloads")
async def start(request: HttpRequest) -> HttpResponse:
    """Start or resume one, and answer with its state; GET has its progress. Idempotent."""
    wanted = await strict_json.read(request, HubModelName)
    with hub_errors():
        begun = await FILES.run(runtime.downloads().start, wanted.id)
    await note(request, "download", begun.id, "Started the download.")
    return json_answer(begun)


@router.post("/downloads/cancel")
async def cancel(request: HttpRequest) -> HttpResponse:
    """Cancel one; what has come is kept, and a new start goes on from there. Idempotent."""
    named = await strict_json.read(request, HubModelName)
    if await FILES.run(runtime.downloads().cancel, named.id):
        await note(request, "download", named.id, "Cancelled the download.")
    return await show(request)


@router.post("/downloads/discard")
async def discard(request: HttpRequest) -> HttpResponse:
    """Delete what has come of one that does not run. Idempotent."""
    named = await strict_json.read(request, HubModelName)
    with hub_errors():
        was_there = await FILES.run(runtime.downloads().discard, named.id)
    if was_there:
        await note(request, "download", named.id, "Discarded the partial download.")
    return await show(request)
