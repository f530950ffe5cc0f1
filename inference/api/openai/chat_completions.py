"""POST /v1/chat/completions."""

from collections.abc import Sequence
from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.openai import response_writer
from inference.api.openai.call_formats import CallFormat, FunctionCallFormat, ToolCallFormat
from inference.api.openai.schemas import ChatCompletionBody
from inference.core.events import (
    Delta,
    Ended,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)

router = Router()


class ChatFormat:
    """chat.completion and its chunks."""

    id_prefix = "chatcmpl"
    chunk_object = "chat.completion.chunk"
    whole_object = "chat.completion"
    has_prompt_in_choices = False

    def __init__(self, calls: CallFormat | None = None) -> None:
        self._calls = calls or ToolCallFormat()

    def opening(self, index: int) -> dict[str, Any]:
        return _choice(index, {"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> dict[str, Any] | None:
        fields = self._calls.delta(delta) if isinstance(delta, ToolCallDelta) else _delta(delta)
        return _choice(delta.index, fields, logprobs=_logprobs([delta])) if fields else None

    def ending(self, ended: Ended) -> dict[str, Any]:
        cut = {"reasoning_truncated": True} if ended.is_reasoning_cut else {}
        return _choice(ended.index, self._calls.rest(ended.index), self._reason(ended.reason)) | cut

    def whole(self, index: int, deltas: Sequence[Delta], ended: Ended) -> dict[str, Any]:
        text, calls = response_writer.text_of(deltas, TextDelta), response_writer.calls_of(deltas)
        message: dict[str, Any] = {"role": "assistant", "content": text or None if calls else text}
        message["refusal"] = None
        if reasoning := response_writer.text_of(deltas, ReasoningDelta):
            message["reasoning_content"] = reasoning
        if calls:
            message |= self._calls.whole(calls)
        choice = {"index": index, "message": message, "logprobs": _logprobs(deltas)}
        choice["finish_reason"] = self._reason(ended.reason)
        return choice | ({"reasoning_truncated": True} if ended.is_reasoning_cut else {})

    def _reason(self, reason: FinishReason) -> str:
        return self._calls.reason if reason == "tool_calls" else reason


def _delta(delta: TextDelta | ReasoningDelta) -> dict[str, Any]:
    if isinstance(delta, TextDelta):
        return {"content": delta.text}
    return {"reasoning_content": delta.text}


def _choice(
    index: int,
    delta: dict[str, Any],
    reason: str | None = None,
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
    calls = FunctionCallFormat() if body.functions else ToolCallFormat(body.custom_names)
    return await response_writer.respond(request, body, ChatFormat(calls))
