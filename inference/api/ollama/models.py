"""Which models there are, and which version of Ollama this is; models are not managed through this API."""

import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.ollama.answer_fields import timestamp
from inference.api.ollama.model_names import card_of, own_name, tagged
from inference.api.ollama.schemas import ShowBody
from inference.core.errors import UnsupportedField
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard, is_pattern
from inference.core.pool_state import ModelState, ResidentModel
from inference.core.threads import CATALOG
from inference.serving import model_details, runtime, visible_models

router = Router()
# The version of Ollama whose API this is: clients compare it before they use tools, thinking or schemas.
VERSION: Final = "0.32.0"
_FOR_EVER_S = 100 * 365 * 86_400
_MANAGED = (
    f"Models are not managed through this API. Fetch one with `{PROGRAM} pull OWNER/NAME` or in the "
    f"admin, import a GGUF file with `{PROGRAM} import_gguf`, give it another name as an alias in the "
    f"admin, and remove it with `{PROGRAM} remove`."
)


@router.get("/tags")
async def tags(request: AuthenticatedRequest) -> HttpResponse:
    """Every model that is loaded or can be, its adapters and profiles, by the id and by each alias."""
    cards = await CATALOG.run(runtime.catalog().scan)
    shown = visible_models.requestable_by(request.auth, cards)
    return json_answer({"models": [entry for card in shown for entry in _entries(card)]})


@router.get("/ps")
async def ps(request: AuthenticatedRequest) -> HttpResponse:
    """The models that are in memory."""
    cards = await CATALOG.run(runtime.catalog().scan)
    pool = runtime.pool().snapshot()
    loaded = [(card, pool.of(card.id)) for card in cards if visible_models.may_use(request.auth, card)]
    is_loaded = {ModelState.READY, ModelState.BUSY}
    return json_answer(
        {"models": [_running(card, resident) for card, resident in loaded if resident.state in is_loaded]}
    )


@router.get("/version")
async def version(request: HttpRequest) -> HttpResponse:
    """The version of Ollama whose API this is."""
    return json_answer({"version": VERSION})


@router.post("/show")
async def show(request: AuthenticatedRequest) -> HttpResponse:
    """What a model is and can do."""
    name = (await strict_json.read(request, ShowBody, takes_any_type=True)).model
    (card,) = runtime.pool().fitted(await card_of(name))
    await visible_models.check(request.auth, await own_name(name))
    read = await CATALOG.run(model_details.read, card)
    sampling = card.sampling.over(card.own_sampling)
    chosen = {
        "num_ctx": card.context_length,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repetition_penalty,
    }
    parameters = [(name, value) for name, value in chosen.items() if value is not None]
    modelfile = [f"FROM {tagged(card.id)}", *(f"PARAMETER {name} {value}" for name, value in parameters)]
    return json_answer(
        {
            "modelfile": "\n".join(modelfile) + "\n",
            "parameters": "\n".join(f"{name:<30} {value}" for name, value in parameters),
            "template": read.template,
            "details": _details(card),
            "model_info": {
                "general.architecture": card.family,
                "general.basename": card.id,
                "general.parameter_count": card.parameter_count,
                f"{card.family}.context_length": card.context_length,
                **{f"{card.family}.{name}": value for name, value in read.figures.items()},
            },
            "capabilities": read.capabilities,
            "modified_at": timestamp(card.created),
        }
    )


@router.post("/pull")
@router.post("/push")
@router.post("/create")
@router.post("/copy")
@router.delete("/delete")
async def manage(request: HttpRequest) -> HttpResponse:
    """Say how models are managed here."""
    raise UnsupportedField(_MANAGED)


@router.post("/blobs/{digest}")
async def blobs(request: HttpRequest, digest: str) -> HttpResponse:
    """Say how models are managed here."""
    raise UnsupportedField(_MANAGED)


def _entries(card: ModelCard) -> Iterator[dict[str, Any]]:
    for name in (card.id, *(alias for alias in card.aliases if not is_pattern(alias))):
        yield {
            "name": tagged(name),
            "model": tagged(name),
            "modified_at": timestamp(card.created),
            "size": card.weight_bytes,
            "digest": _digest(card),
            "details": _details(card),
        }


def _running(card: ModelCard, resident: ResidentModel) -> dict[str, Any]:
    own, site = card.idle_ttl_s, runtime.idle_ttl_s()
    ttl = site if own is None else own
    left = _FOR_EVER_S if ttl < 0 or resident.is_pinned else max(0.0, ttl - resident.idle_s)
    device = resident.loaded.device if resident.loaded else "cpu"
    size = resident.memory.active or card.resident_bytes
    return {
        "name": tagged(card.id),
        "model": tagged(card.id),
        "size": size,
        "digest": _digest(card),
        "details": _details(card),
        "expires_at": timestamp(time.time() + left),
        "size_vram": size if device == "gpu" else 0,
        "context_length": resident.loaded.context_length if resident.loaded else card.context_length,
    }


def _details(card: ModelCard) -> dict[str, Any]:
    return {
        "parent_model": tagged(card.base) if card.base else "",
        "format": "safetensors",
        "family": card.family,
        "families": [card.family],
        "parameter_size": _size_text(card.parameter_count),
        "quantization_level": card.quantization,
    }


def _size_text(count: int) -> str:
    """A number of parameters as Ollama writes it: `135M`, `7.6B`."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= size:
            return f"{count / size:.1f}{unit}" if count < 10 * size else f"{count / size:.0f}{unit}"
    return str(count)


def _digest(card: ModelCard) -> str:
    """Another one for another version of the files."""
    return sha256(f"{card.id} {card.created} {card.weight_bytes}".encode()).hexdigest()
