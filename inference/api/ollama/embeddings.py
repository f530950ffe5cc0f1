"""POST /api/embed, and the older POST /api/embeddings."""

import struct
import time
from typing import Any

import msgspec
from django.http import HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.ollama.answering import load
from inference.api.ollama.model_names import own_name
from inference.api.ollama.schemas import EmbedBody, OldEmbeddingBody
from inference.core.events import Embedded
from inference.core.threads import BODIES

router = Router()


@router.post("/embed")
async def embed(request: AuthenticatedRequest) -> HttpResponse:
    """Turn each input into a vector."""
    began_at = time.perf_counter()
    body = await strict_json.read(request, EmbedBody, takes_any_type=True)
    model = await own_name(body.model)
    if not body.texts:
        await load(request, body, model)
        return json_answer({"model": body.model, "embeddings": []})
    embedded, finished = await single(request, body, body.request(model), Embedded)
    total_s = time.perf_counter() - began_at
    timings = finished.timings
    worked_s = timings.queue_s + timings.prefill_s + timings.decode_s
    fields = {
        "model": body.model,
        "total_duration": round(total_s * 1e9),
        "load_duration": round(max(0.0, total_s - worked_s) * 1e9),
        "prompt_eval_count": finished.usage.prompt_tokens,
    }
    return await _answer(fields, embedded, "embeddings")


@router.post("/embeddings")
async def old_embeddings(request: AuthenticatedRequest) -> HttpResponse:
    """Turn one text into a vector."""
    body = await strict_json.read(request, OldEmbeddingBody, takes_any_type=True)
    model = await own_name(body.model)
    if not body.texts:
        await load(request, body, model)
        return json_answer({"embedding": []})
    embedded, _ = await single(request, body, body.request(model), Embedded)
    return await _answer({}, embedded, "embedding")


async def _answer(fields: dict[str, Any], embedded: Embedded, name: str) -> HttpResponse:
    """The answer with the vectors, all of them or the only one: written on another thread."""
    made = await BODIES.run(_encoded, fields, embedded, name)
    return HttpResponse(made, content_type="application/json")


def _encoded(fields: dict[str, Any], embedded: Embedded, name: str) -> bytes:
    vectors = [struct.unpack(f"<{len(one) // 4}f", one) for one in embedded.vectors]
    return msgspec.json.encode(fields | {name: vectors if name == "embeddings" else vectors[0]})
