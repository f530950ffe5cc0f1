"""POST /api/chat and POST /api/generate."""

import time
from functools import partial

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from inference.api.http import answer_headers, disconnects, field_names, sse, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.event_feed import EventFeed
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.ollama.answer_fields import AnswerFields, chat_fields, generate_fields, timestamp
from inference.api.ollama.answer_writer import AnswerWriter
from inference.api.ollama.model_names import own_name
from inference.api.ollama.schemas import GenerateBody, OllamaChatBody
from inference.api.openai.schemas import Strict
from inference.core.events import Tokenized
from inference.core.requests import CompletionRequest, TokenizeRequest
from inference.serving import generation

router = Router()
NDJSON = "application/x-ndjson"


@router.post("/chat")
async def chat(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer a conversation, streamed or whole; one without messages loads the model."""
    return await _respond(
        request, await strict_json.read(request, OllamaChatBody, takes_any_type=True), chat_fields
    )


@router.post("/generate")
async def generate(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer a prompt, streamed or whole; one without a prompt loads the model."""
    return await _respond(
        request, await strict_json.read(request, GenerateBody, takes_any_type=True), generate_fields
    )


async def _respond(
    http: AuthenticatedRequest, body: OllamaChatBody | GenerateBody, fields: AnswerFields
) -> HttpResponseBase:
    names = body.own_names
    rename = partial(field_names.path_of, names=names)
    writer = AnswerWriter(body.model, fields, on_accepted=answer_headers.on_accepted(http, rename))
    model = await own_name(body.model)
    if not body.asks:
        await load(http, body, model)
        return json_answer(
            {"model": body.model, "created_at": timestamp(time.time())}
            | fields("", "", [])
            | {"done": True, "done_reason": "load"}
        )
    events = generation.stream(body.request(model), http.auth)
    if body.is_stream:
        feed = EventFeed(events, names)
        disconnects.at_end(http, feed.cancel)
        return sse.EventStream(await writer.stream(feed), NDJSON)
    disconnects.cancel_at_end(http)
    with field_names.in_names_of(names):
        return HttpResponse(await writer.whole(events), content_type="application/json")


async def load(http: AuthenticatedRequest, body: Strict, model: str) -> None:
    """Wait until the model is loaded: a dry run of a prompt needs it, and computes nothing."""
    dry_run = TokenizeRequest(of=CompletionRequest(model=model, prompts=("a",)))
    await single(http, body, dry_run, Tokenized)
