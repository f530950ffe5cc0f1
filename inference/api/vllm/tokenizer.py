"""POST /tokenize, POST /detokenize and GET /tokenizer_info."""

from django.http import HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.vllm.schemas import DetokenizeTokensBody, TokenizeChatBody, TokenizeTextBody
from inference.core.errors import ModelNotFound
from inference.core.events import Tokenized
from inference.core.threads import BODIES, CATALOG
from inference.serving import default_model, model_details, runtime, visible_models

router = Router()


@router.post("/tokenize")
async def tokenize(request: AuthenticatedRequest) -> HttpResponse:
    """The tokens of a text, or of the prompt that a conversation becomes."""
    body = await BODIES.run(_read, request)
    model = body.model or await default_model.name(request.auth)
    tokenized, _ = await single(request, body, body.request(model), Tokenized)
    (tokens,) = tokenized.tokens
    return json_answer(
        {
            "count": len(tokens),
            "max_model_len": tokenized.context_length,
            "tokens": tokens,
            "token_strs": tokenized.entries[0] if body.return_token_strs else None,
        }
    )


@router.post("/detokenize")
async def detokenize(request: AuthenticatedRequest) -> HttpResponse:
    """The text that token ids stand for."""
    body = await strict_json.read(request, DetokenizeTokensBody)
    model = body.model or await default_model.name(request.auth)
    tokenized, _ = await single(request, body, body.request(model), Tokenized)
    return json_answer({"prompt": tokenized.texts[0]})


@router.get("/tokenizer_info")
async def tokenizer_info(request: AuthenticatedRequest, model: str = "") -> HttpResponse:
    """What the tokenizer's settings say, its chat template included."""
    name = model or await default_model.name(request.auth)
    await visible_models.check(request.auth, name)
    card = await CATALOG.run(runtime.catalog().find, name)
    if card is None or not card.is_servable:
        raise ModelNotFound(
            f"There is no model {name[:256]!r} here; GET /v1/models lists them.", param="model"
        )
    return json_answer(await CATALOG.run(model_details.tokenizer, card))


def _read(http: AuthenticatedRequest) -> TokenizeTextBody | TokenizeChatBody:
    is_chat = "messages" in strict_json.load_object(strict_json.body_of(http))
    if is_chat:
        return strict_json.read_now(http, TokenizeChatBody)
    return strict_json.read_now(http, TokenizeTextBody)
