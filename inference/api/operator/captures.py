"""GET and POST /api/captures: prompts and answers that are stored for a time; and stop and delete-text."""

from functools import partial
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.page_permission import PagePermission, account
from inference.serving import captures
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("inference.view_capture"))
_adding = PagePermission("inference.add_capture")
_changing = PagePermission("inference.change_capture")
_MOST_HOURS = 7 * 24


class NewCapture(Strict):
    """A capture from now on; its reason is shown to all users of the admin."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]
    hours: Annotated[float, Field(gt=0, le=_MOST_HOURS)] = 1


class NamedCapture(Strict):
    """Which capture is meant, by the `id` that the list has."""

    id: Annotated[int, Field(ge=1, le=2**63 - 1)]


@router.get("/captures")
async def show(request: HttpRequest) -> HttpResponse:
    """Every capture, without the text that it stores."""
    return json_answer({"captures": await in_database(captures.listed)})


@router.post("/captures", auth=_adding)
async def start(request: AuthenticatedRequest) -> HttpResponse:
    """Store the prompts and answers of the next hours."""
    wanted = await strict_json.read(request, NewCapture)
    giver = await account(request, request.auth)
    return json_answer(await in_database(partial(captures.start, wanted.reason, wanted.hours, giver)))


@router.post("/captures/stop", auth=_changing)
async def stop(request: AuthenticatedRequest) -> HttpResponse:
    """End a capture now. Idempotent."""
    number = (await strict_json.read(request, NamedCapture)).id
    giver = await account(request, request.auth)
    return json_answer(await in_database(partial(captures.stop, number, giver)))


@router.post("/captures/delete-text", auth=_changing)
async def delete_text(request: AuthenticatedRequest) -> HttpResponse:
    """Delete the prompts and answers that a capture stored. Idempotent."""
    number = (await strict_json.read(request, NamedCapture)).id
    giver = await account(request, request.auth)
    return json_answer(await in_database(partial(captures.delete_text, number, giver)))
