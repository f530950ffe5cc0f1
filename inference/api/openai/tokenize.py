"""POST /v1/tokenize and /v1/detokenize: what a prompt is in tokens, without computing anything."""

from typing import Self

from django.http import HttpResponse
from ninja import Router
from pydantic import Field, model_validator

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.http.strict_schema import Body, unsupported
from inference.api.openai.schemas import ChatCompletionBody, CompletionBody, DetokenizeBody, Strict
from inference.api.openai.schemas.prompts import is_one
from inference.core.events import Tokenized
from inference.core.requests import DetokenizeRequest, TokenizeRequest
from inference.core.threads import BODIES

router = Router()
_WHOLE = "<field> is not supported: token counts come whole."


class DryRun(Body):
    """What a dry run may be asked for beside the fields of its endpoint."""

    aliases = {"with_pieces": "pieces"}

    pieces: bool | None = Field(
        None, description="`true` also returns what each token stands for: a text, or bytes where it is none."
    )


class ChatDryRun(DryRun, ChatCompletionBody):
    """A body of POST /v1/chat/completions, of which only the prompt is made."""

    aliases = {**ChatCompletionBody.aliases, **DryRun.aliases}

    @model_validator(mode="after")
    def _check_stream(self) -> Self:
        if self.stream:
            raise unsupported(_WHOLE, "stream")
        return self

    @property
    def is_list(self) -> bool:
        return False


class CompletionDryRun(DryRun, CompletionBody):
    """A body of POST /v1/completions, of which only the prompts are made."""

    aliases = {**CompletionBody.aliases, **DryRun.aliases}

    @model_validator(mode="after")
    def _check_stream(self) -> Self:
        if self.stream:
            raise unsupported(_WHOLE, "stream")
        return self

    @property
    def is_list(self) -> bool:
        """Whether several prompts may come back: a list of ids alone is one prompt."""
        return not is_one(self.prompt)


@router.post("/tokenize")
async def tokenize(request: AuthenticatedRequest) -> HttpResponse:
    """The tokens of a prompt, or of the prompt that a conversation becomes."""
    body = await _read(request)
    tokenize_request = TokenizeRequest(of=body.request(), with_pieces=bool(body.pieces))
    tokenized = await _ask(request, body, tokenize_request)
    is_list = body.is_list
    pieces = [list(map(_piece, prompt)) for prompt in tokenized.pieces]
    optional = {"pieces": pieces if is_list else pieces[0]} if body.pieces else {}
    return json_answer(
        optional
        | {
            "object": "tokens",
            "model": body.model,
            "tokens": tokenized.tokens if is_list else tokenized.tokens[0],
            "count": sum(map(len, tokenized.tokens)),
            "context_length": tokenized.context_length,
            "prompt": tokenized.texts if is_list else tokenized.texts[0],
        }
    )


@router.post("/detokenize")
async def detokenize(request: AuthenticatedRequest) -> HttpResponse:
    """The text that token ids stand for."""
    body = await strict_json.read(request, DetokenizeBody)
    tokenized = await _ask(request, body, DetokenizeRequest(model=body.model, tokens=tuple(body.tokens)))
    return json_answer({"object": "text", "model": body.model, "prompt": tokenized.texts[0]})


def _piece(octets: bytes) -> str | list[int]:
    """The text of a token, or its bytes where they are no whole characters."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return list(octets)


async def _read(http: AuthenticatedRequest) -> ChatDryRun | CompletionDryRun:
    return await BODIES.run(_parse, strict_json.body_of(http))


def _parse(body: bytes) -> ChatDryRun | CompletionDryRun:
    is_chat = "messages" in strict_json.load_object(body)
    return strict_json.parse(body, ChatDryRun) if is_chat else strict_json.parse(body, CompletionDryRun)


async def _ask(
    http: AuthenticatedRequest, body: Strict, request: TokenizeRequest | DetokenizeRequest
) -> Tokenized:
    found, _ = await single(http, body, request, Tokenized)
    return found
