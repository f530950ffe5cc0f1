"""POST /v1/chat/completions."""

from collections.abc import Sequence
from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.openai import response_writer
from inference.api.openai.schemas import ChatCompletionBody
from inference.core.events import Delta, Ended, FinishReason, ReasoningDelta, TextDelta, TokenLogprob

router = Router()


class ChatFormat:
    """chat.completion and its chunks."""

    id_prefix = "chatcmpl"
    chunk_object = "chat.completion.chunk"
    whole_object = "chat.completion"

    def opening(self, index: int) -> dict[str, Any]:
        return _choice(index, {"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> dict[str, Any]:
        return _choice(delta.index, _delta(delta), logprobs=_logprobs([delta]))

    def ending(self, ended: Ended) -> dict[str, Any]:
        return _choice(ended.index, {}, ended.reason)

    def whole(self, index: int, deltas: Sequence[Delta], reason: FinishReason) -> dict[str, Any]:
        text, calls = response_writer.text_of(deltas, TextDelta), response_writer.calls_of(deltas)
        message: dict[str, Any] = {"role": "assistant", "content": text or None if calls else text}
        message["refusal"] = None
        if reasoning := response_writer.text_of(deltas, ReasoningDelta):
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = [_call(call.id, call.name, call.arguments) for call in calls]
        return {"index": index, "message": message, "logprobs": _logprobs(deltas), "finish_reason": reason}


def _delta(delta: Delta) -> dict[str, Any]:
    match delta:
        case TextDelta():
            return {"content": delta.text}
        case ReasoningDelta():
            return {"reasoning_content": delta.text}
    if delta.id:
        return {"tool_calls": [{"index": delta.call} | _call(delta.id, delta.name, delta.text)]}
    return {"tool_calls": [{"index": delta.call, "function": {"arguments": delta.text}}]}


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _choice(
    index: int,
    delta: dict[str, Any],
    reason: FinishReason | None = None,
    logprobs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}


def _logprobs(deltas: Sequence[Delta]) -> dict[str, Any] | None:
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
    body = await strict_json.read(request, ChatCompletionBody)
    return await response_writer.respond(request, body, ChatFormat())
