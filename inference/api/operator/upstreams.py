"""GET and POST /api/upstreams: the other servers; and POST /api/upstreams/test and /delete.

They need the permission for the page in the admin, also on a site that is open to this machine: whoever can
add an upstream decides where prompts go.
"""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.page_permission import PagePermission
from inference.core.threads import DATABASE
from inference.core.upstream import Engine
from inference.serving import upstreams

router = Router()
_MAY_LOOK = PagePermission("inference.view_upstream", "inference.change_upstream")
_MAY_CHANGE = PagePermission("inference.change_upstream")
_MAY_DELETE = PagePermission("inference.delete_upstream")
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class NamedUpstream(Strict):
    """Which upstream is meant."""

    name: _Name


class NewModel(Strict):
    """A model of an upstream; `name` is what it is called there, by default the same."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=200)] = ""
    context_length: Annotated[int, Field(ge=16, le=2**31 - 1)] = 8192
    most_streams: Annotated[int, Field(ge=0, le=10_000)] = 0
    takes_tools: bool = True
    can_reason: bool = False
    sees: bool = False


class NewUpstream(NamedUpstream):
    """A whole upstream; without `key` it keeps the one that it has, and an empty one is none."""

    base_url: Annotated[str, Field(min_length=1, max_length=500)]
    engine: Engine = "openai"
    key: Annotated[str, Field(max_length=2000)] | None = None
    is_enabled: bool = True
    models: Annotated[list[NewModel], Field(max_length=200)] = Field(default_factory=list)


@router.get("/upstreams", auth=_MAY_LOOK)
async def show(request: HttpRequest) -> HttpResponse:
    """All upstreams with their models and health, without their keys."""
    return json_answer(await DATABASE.run(upstreams.listed))


@router.post("/upstreams", auth=_MAY_CHANGE)
async def save(request: HttpRequest) -> HttpResponse:
    """Make an upstream, or replace the one of this name with all its models."""
    wanted = await strict_json.read(request, NewUpstream)
    models: list[dict[str, Any]] = [one.model_dump() for one in wanted.models]

    def write() -> upstreams.ListedUpstream:
        return upstreams.save(
            wanted.name,
            wanted.base_url,
            models,
            engine=wanted.engine,
            key=wanted.key,
            is_enabled=wanted.is_enabled,
        )

    return json_answer(await DATABASE.run(write))


@router.post("/upstreams/test", auth=_MAY_CHANGE)
async def test(request: HttpRequest) -> HttpResponse:
    """Ask an upstream for its models now."""
    named = await strict_json.read(request, NamedUpstream)
    return json_answer(await upstreams.test(named.name))


@router.post("/upstreams/delete", auth=_MAY_DELETE)
async def delete(request: HttpRequest) -> HttpResponse:
    """Remove an upstream and its models, and answer with those that are left."""
    named = await strict_json.read(request, NamedUpstream)
    await DATABASE.run(upstreams.remove, named.name)
    return json_answer(await DATABASE.run(upstreams.listed))
