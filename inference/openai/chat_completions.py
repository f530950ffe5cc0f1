"""POST /v1/chat/completions."""

from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.openai import answer, parsing
from inference.openai.auth import AuthenticatedRequest
from inference.openai.schemas import ChatCompletionBody
from inference.types import FinishReason, ReasoningDelta

router = Router()


class ChatWording:
    """chat.completion and its chunks."""

    id_prefix = "chatcmpl"
    chunk_object = "chat.completion.chunk"
    whole_object = "chat.completion"

    def opening(self) -> dict[str, Any]:
        return _choice({"role": "assistant", "content": ""})

    def delta(self, delta: answer.Delta) -> dict[str, Any]:
        field = "reasoning_content" if isinstance(delta, ReasoningDelta) else "content"
        return _choice({field: delta.text})

    def ending(self, reason: FinishReason) -> dict[str, Any]:
        return _choice({}, reason)

    def whole(self, text: str, reasoning: str, reason: FinishReason) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        if reasoning:
            message["reasoning_content"] = reasoning
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}


def _choice(delta: dict[str, str], reason: FinishReason | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


@router.post("/chat/completions")
async def create_chat_completion(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer a conversation, whole or streamed."""
    body = await parsing.read(request, ChatCompletionBody)
    return await answer.respond(request, body, ChatWording())
