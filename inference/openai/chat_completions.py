"""POST /v1/chat/completions."""

from collections.abc import Sequence
from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.openai import answer, parsing
from inference.openai.auth import AuthenticatedRequest
from inference.openai.schemas import ChatCompletionBody
from inference.types import FinishReason, ReasoningDelta, TextDelta, TokenLogprob

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
        return _choice({field: delta.text}, logprobs=_logprobs([delta]))

    def ending(self, reason: FinishReason) -> dict[str, Any]:
        return _choice({}, reason)

    def whole(self, deltas: Sequence[answer.Delta], reason: FinishReason) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text_of(deltas, TextDelta), "refusal": None}
        if reasoning := answer.text_of(deltas, ReasoningDelta):
            message["reasoning_content"] = reasoning
        return {"index": 0, "message": message, "logprobs": _logprobs(deltas), "finish_reason": reason}


def _choice(
    delta: dict[str, str], reason: FinishReason | None = None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}


def _logprobs(deltas: Sequence[answer.Delta]) -> dict[str, Any] | None:
    """Those of the visible text, as OpenAI gives them; None where nobody asked for any."""
    tokens = [token for delta in deltas if isinstance(delta, TextDelta) for token in delta.logprobs]
    if not any(delta.logprobs for delta in deltas):
        return None
    content = [_token(token) | {"top_logprobs": [_token(other) for other in token.top]} for token in tokens]
    return {"content": content, "refusal": None}


def _token(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": token.bytes}


@router.post("/chat/completions")
async def create_chat_completion(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer a conversation, whole or streamed."""
    body = await parsing.read(request, ChatCompletionBody)
    return await answer.respond(request, body, ChatWording())
