"""GET and POST /api/models/settings: what an operator has chosen for one model."""

from functools import partial
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.operator.action_history import note
from inference.api.operator.models import NamedModel
from inference.core.errors import InvalidRequest
from inference.serving import control, model_settings
from inference.storage.database_threads import in_database

router = Router()
_FieldName = Literal[
    "is_enabled",
    "idle_ttl_s",
    "adapter",
    "context_cap",
    "kv_bits",
    "speculation",
    "draft_model",
    "ranks",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
]
_Whole = Annotated[int, Field(ge=0, le=2**31 - 1)] | None


class NewSettings(NamedModel):
    """The settings to change, and in `reset` those to take back; the others stay."""

    is_enabled: bool | None = None
    idle_ttl_s: float | None = None
    adapter: str | None = None
    context_cap: _Whole = None
    kv_bits: _Whole = None
    speculation: str | None = None
    draft_model: Annotated[str, Field(max_length=500)] | None = None
    ranks: _Whole = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: _Whole = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    reset: Annotated[list[_FieldName], Field(max_length=len(model_settings.FIELDS))] = Field(
        default_factory=list
    )


@router.get("/models/settings")
async def show(request: HttpRequest) -> HttpResponse:
    """The settings of the model that the query names as `model`."""
    name = request.GET.get("model", "")
    if not name:
        raise InvalidRequest("Name the model in the query: ?model=ID.", param="model")
    return json_answer(await in_database(partial(model_settings.of, name)))


@router.post("/models/settings")
async def change(request: HttpRequest) -> HttpResponse:
    """Change settings of a model, and answer with all of them."""
    wanted = await strict_json.read(request, NewSettings)
    changes = wanted.model_dump(include=set(model_settings.FIELDS), exclude_none=True)
    saved = await control.change_settings(wanted.model, changes, wanted.reset)
    if changed := [*changes, *wanted.reset]:
        await note(request, "model", saved.model, f"Changed {', '.join(changed)}.")
    return json_answer(saved)
