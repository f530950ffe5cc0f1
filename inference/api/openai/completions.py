"""POST /v1/completions, OpenAI's older endpoint for raw prompts."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django.http.response import HttpResponseBase
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.openai import response_writer
from inference.api.openai.schemas import CompletionBody
from inference.core.events import Delta, Ended, FinishReason, TokenLogprob

router = Router()


class CompletionFormat:
    """text_completion, whole and in pieces of the same shape; one object for each request."""

    id_prefix = "cmpl"
    chunk_object = whole_object = "text_completion"
    has_prompt_in_choices = True

    def __init__(self) -> None:
        self._lengths: Counter[int] = Counter()  # characters of each answer: where its next token begins

    def opening(self, index: int) -> None:
        return None

    def delta(self, delta: Delta) -> dict[str, Any]:
        logprobs = _logprobs([delta], self._lengths[delta.index])
        self._lengths[delta.index] += sum(len(token.text) for token in delta.logprobs)
        return _choice(delta.index, delta.text, logprobs=logprobs)

    def ending(self, ended: Ended) -> dict[str, Any]:
        return _choice(ended.index, "", ended.reason)

    def whole(self, index: int, deltas: Sequence[Delta], ended: Ended) -> dict[str, Any]:
        text = "".join(delta.text for delta in deltas)
        return _choice(index, text, ended.reason, _logprobs(deltas, 0))


def _choice(
    index: int, text: str, reason: FinishReason | None = None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}


def _logprobs(deltas: Sequence[Delta], start: int) -> dict[str, Any] | None:
    """The older endpoint's form: one list for each figure, and where in the text each token begins."""
    tokens = [token for delta in deltas for token in delta.logprobs]
    if not tokens:
        return None
    ends = list(accumulate((len(token.text) for token in tokens), initial=start))
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_likeliest(token) for token in tokens],
        "text_offset": ends[:-1],
    }


def _likeliest(token: TokenLogprob) -> dict[str, float | None] | None:
    """The likeliest tokens and the chosen one: OpenAI has "up to `logprobs + 1` elements" here.

    None for the first token of an echoed prompt, as its log probability is. Tokens of different bytes may
    have the same text: the chosen one keeps its place, and then the likelier one.
    """
    if token.logprob is None:
        return None
    likeliest: dict[str, float | None] = {}
    for other in token.top:
        likeliest.setdefault(other.text, other.logprob)
    return likeliest | {token.text: token.logprob}


@router.post("/completions")
async def create_completion(request: AuthenticatedRequest) -> HttpResponseBase:
    """Continue a prompt, whole or streamed."""
    body = await strict_json.read(request, CompletionBody)
    return await response_writer.respond(request, body, CompletionFormat())
