"""GET and POST /api/profiles: the profiles of models; and POST /api/profiles/delete."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.core.threads import DATABASE
from inference.serving import profiles

router = Router()
_Name = Annotated[str, Field(min_length=1, max_length=512)]


class NamedProfile(Strict):
    """Which profile is meant."""

    model: _Name
    name: Annotated[str, Field(min_length=1, max_length=64)]


class NewProfile(NamedProfile):
    """A whole profile; what is missing is as the model has it."""

    system: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    template_options: dict[str, Any] = Field(default_factory=dict)


@router.get("/profiles")
async def show(request: HttpRequest) -> HttpResponse:
    """All profiles, or those of the model that the query names as `model`."""
    return json_answer(await DATABASE.run(profiles.listed, request.GET.get("model", "")))


@router.post("/profiles")
async def save(request: HttpRequest) -> HttpResponse:
    """Make a profile, or replace the one of this name."""
    wanted = await strict_json.read(request, NewProfile)
    fields = {name: getattr(wanted, name) for name in profiles.FIELDS}
    return json_answer(await DATABASE.run(profiles.save, wanted.model, wanted.name, fields))


@router.post("/profiles/delete")
async def delete(request: HttpRequest) -> HttpResponse:
    """Delete a profile, and answer with those that its model still has."""
    named = await strict_json.read(request, NamedProfile)
    model = await DATABASE.run(profiles.delete, named.model, named.name)
    return json_answer([one for one in await DATABASE.run(profiles.listed) if one.model == model])
