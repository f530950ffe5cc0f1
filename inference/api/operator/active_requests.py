"""GET /api/requests/active, the requests in progress, and POST /api/requests/stop."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.action_history import note
from inference.api.operator.page_permission import PagePermission
from inference.serving import control
from inference.serving.active_requests import STREAMS

router = Router(auth=PagePermission("inference.view_servedmodel", "inference.run_servedmodel"))


class NamedRequest(Strict):
    """Which request is meant, by the `id` that the list has."""

    id: Annotated[str, Field(min_length=1, max_length=64)]


@router.get("/requests/active")
async def show(request: HttpRequest) -> HttpResponse:
    """The requests in progress at this front, without their texts."""
    return json_answer({"requests": STREAMS.snapshot()})


@router.post("/requests/stop", auth=PagePermission("inference.run_servedmodel"))
async def stop(request: HttpRequest) -> HttpResponse:
    """Stop a request in progress; its client receives an error."""
    name = (await strict_json.read(request, NamedRequest)).id
    stream = next((one for one in STREAMS.snapshot() if one.id == name), None)
    await control.stop(name)
    if stream:
        caller = f"{stream.principal_kind} {stream.principal}".strip()
        await note(request, "model", stream.model, f"Stopped a request of {caller}.")
    return json_answer({"requests": STREAMS.snapshot()})
