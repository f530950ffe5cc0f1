"""GET /api/connect and /api/connect/{client}: what a client needs to use this server."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.connect.client import NO_KEY, Values
from inference.connect.clients import CLIENTS, find
from inference.core.errors import InvalidRequest, ModelNotFound, NotFound
from inference.core.model_card import ModelCard
from inference.core.threads import CATALOG
from inference.serving import runtime

router = Router()
_KEY = "YOUR_KEY"  # a key in an address would be in the logs of every proxy


@router.get("/connect")
async def show(request: HttpRequest) -> HttpResponse:
    """The clients, each with the files that it reads."""
    rows = [
        {
            "client": client.name,
            "title": client.title,
            "dialect": client.dialect,
            "files": [part.path for part in client.files],
        }
        for client in CLIENTS
    ]
    return json_answer({"clients": rows})


@router.get("/connect/{client}")
async def one(request: HttpRequest, client: str) -> HttpResponse:
    """What a client needs for the model that the query names as `model`; raises NotFound or ModelNotFound."""
    found = find(client)
    if found is None:
        raise NotFound(f"There is no client {client[:64]!r}; GET /api/connect lists them.")
    name = request.GET.get("model", "")
    if not name:
        raise InvalidRequest("Name the model in the query: ?model=ID.", param="model")
    card = await CATALOG.run(_card, name)
    (fitted,) = runtime.pool().fitted(card)
    values = Values(
        origin=request.build_absolute_uri("/").rstrip("/"),
        key=NO_KEY if settings.CONFIG.is_open else _KEY,
        model=name,
        context=fitted.context_length,
        sees=fitted.sees,
    )
    parts = [
        {"title": part.title, "path": part.path, "syntax": part.syntax, "text": part.filled(values)}
        for part in found.parts
    ]
    return json_answer({"client": found.name, "model": name, "parts": parts, "note": found.note})


def _card(name: str) -> ModelCard:
    """The chat model, adapter or profile of this name."""
    found = runtime.catalog().find(name)
    card = found.requested_as(name) if found else None
    if card is None or not card.is_servable or card.kind != "chat":
        raise ModelNotFound(f"There is no model {name[:256]!r} for chats here.", param="model")
    return card
