"""POST /v1/completions, OpenAI's older endpoint for raw prompts."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.openai import answer, parsing
from inference.openai.auth import AuthenticatedRequest
from inference.openai.schemas import CompletionBody
from inference.types import FinishReason

router = Router()


class CompletionWording:
    """text_completion, whole and in pieces of the same shape; one object words one answer."""

    id_prefix = "cmpl"
    chunk_object = whole_object = "text_completion"

    def __init__(self) -> None:
        self._said = 0  # characters so far, which is where the next token begins

    def opening(self) -> None:
        return None

    def delta(self, delta: answer.Delta) -> dict[str, Any]:
        choice = _choice(delta.text, logprobs=_logprobs([delta], self._said))
        self._said += sum(len(token.text) for token in delta.logprobs)
        return choice

    def ending(self, reason: FinishReason) -> dict[str, Any]:
        return _choice("", reason)

    def whole(self, deltas: Sequence[answer.Delta], reason: FinishReason) -> dict[str, Any]:
        text = "".join(delta.text for delta in deltas)
        return _choice(text, reason, _logprobs(deltas, 0))


def _choice(
    text: str, reason: FinishReason | None = None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": reason}


def _logprobs(deltas: Sequence[answer.Delta], start: int) -> dict[str, Any] | None:
    """The older endpoint's form: one list for each figure, and where in the text each token begins."""
    tokens = [token for delta in deltas for token in delta.logprobs]
    if not tokens:
        return None
    ends = list(accumulate((len(token.text) for token in tokens), initial=start))
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{other.text: other.logprob for other in token.top} for token in tokens],
        "text_offset": ends[:-1],
    }


@router.post("/completions")
async def create_completion(request: AuthenticatedRequest) -> HttpResponseBase:
    """Continue a prompt, whole or streamed."""
    body = await parsing.read(request, CompletionBody)
    return await answer.respond(request, body, CompletionWording())
