"""POST /v1/embeddings: texts as vectors."""

import base64
import struct
from typing import Any

import msgspec
from django.http import HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.single_outcome import single
from inference.api.openai.schemas import EmbeddingBody
from inference.core.events import Embedded
from inference.core.threads import BODIES

router = Router()


@router.post("/embeddings")
async def create_embeddings(request: AuthenticatedRequest) -> HttpResponse:
    """Turn each input into a vector."""
    body = await strict_json.read(request, EmbeddingBody)
    embedded, finished = await single(request, body, body.request(), Embedded)
    # Millions of numbers take a while to be written down, and others want their tokens meanwhile.
    made = await BODIES.run(_encoded, body, embedded, finished.usage.prompt_tokens)
    return HttpResponse(made, content_type="application/json")


def _encoded(body: EmbeddingBody, embedded: Embedded, tokens: int) -> bytes:
    encode = _as_base64 if body.encoding_format == "base64" else _as_numbers
    return msgspec.json.encode(
        {
            "object": "list",
            "model": body.model,
            "data": [
                {"object": "embedding", "index": place, "embedding": encode(vector)}
                for place, vector in enumerate(embedded.vectors)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _as_base64(vector: bytes) -> str:
    return base64.b64encode(vector).decode()


def _as_numbers(vector: bytes) -> Any:
    return struct.unpack(f"<{len(vector) // 4}f", vector)
