"""POST /v1/completions, OpenAI's older endpoint for raw prompts."""

from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.openai import answer, parsing
from inference.openai.auth import AuthenticatedRequest
from inference.openai.schemas import CompletionBody
from inference.types import FinishReason

router = Router()


class CompletionWording:
    """text_completion, whole and in pieces of the same shape."""

    id_prefix = "cmpl"
    chunk_object = whole_object = "text_completion"

    def opening(self) -> None:
        return None

    def delta(self, delta: answer.Delta) -> dict[str, Any]:
        return _choice(delta.text)

    def ending(self, reason: FinishReason) -> dict[str, Any]:
        return _choice("", reason)

    def whole(self, text: str, reasoning: str, reason: FinishReason) -> dict[str, Any]:
        return _choice(reasoning + text, reason)


def _choice(text: str, reason: FinishReason | None = None) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}


@router.post("/completions")
async def create_completion(request: AuthenticatedRequest) -> HttpResponseBase:
    """Continue a prompt, whole or streamed."""
    body = await parsing.read(request, CompletionBody)
    return await answer.respond(request, body, CompletionWording())
