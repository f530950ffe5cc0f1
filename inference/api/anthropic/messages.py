"""POST /v1/messages and POST /v1/messages/count_tokens."""

from functools import partial

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from inference.api.anthropic.message_writer import MessageWriter
from inference.api.anthropic.schemas import INTERLEAVED, CountTokensBody, MessagesBody
from inference.api.http import answer_headers, disconnects, field_names, sse, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.event_feed import EventFeed
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.core.events import Tokenized
from inference.core.requests import TokenizeRequest
from inference.serving import generation

router = Router()


@router.post("/messages")
async def create_message(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer a conversation in Anthropic's form, whole or streamed."""
    body = await strict_json.read(request, MessagesBody, context={INTERLEAVED: _is_interleaved(request)})
    _list_left_out(request, body)
    names = body.own_names
    rename = partial(field_names.path_of, names=names)
    writer = MessageWriter(body, answer_headers.on_accepted(request, rename))
    events = generation.stream(body.request(), request.auth, writer.id)
    if body.stream:
        feed = EventFeed(events, names)
        disconnects.at_end(request, feed.cancel)
        return sse.EventStream(await writer.stream(feed))
    disconnects.cancel_at_end(request)
    with field_names.in_names_of(names):
        return HttpResponse(await writer.whole(events), content_type="application/json")


@router.post("/messages/count_tokens")
async def count_tokens(request: AuthenticatedRequest) -> HttpResponse:
    """Count the tokens of the prompt that a conversation becomes, without computing anything."""
    body = await strict_json.read(request, CountTokensBody)
    _list_left_out(request, body)
    found, _ = await single(request, body, TokenizeRequest(of=body.request()), Tokenized)
    counted = {"input_tokens": len(found.tokens[0])}
    return json_answer(counted)


def _is_interleaved(request: AuthenticatedRequest) -> bool:
    """Whether a budget of reasoning may exceed one answer, as clients ask for by a header of Anthropic's.

    https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#interleaved-thinking
    """
    betas = request.headers.get("anthropic-beta", "").split(",")
    return any(beta.strip().startswith("interleaved-thinking-") for beta in betas)


def _list_left_out(request: AuthenticatedRequest, body: CountTokensBody) -> None:
    answer_headers.list_in(request, answer_headers.NOTED, body.marks)
    answer_headers.list_in(request, answer_headers.OMITTED, body.left_out)
