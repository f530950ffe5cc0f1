"""The addresses of responses: run them, and those that were kept."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import register_converter
from django.urls.converters import StringConverter
from ninja import Router

from inference.api.http import disconnects, errors, sse, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.event_feed import EventFeed
from inference.api.openai import field_names
from inference.api.openai.responses import output_items
from inference.api.openai.responses.response_writer import ResponseAnswer, StreamEvent
from inference.api.openai.schemas import ResponseBody
from inference.core.errors import InternalError, InvalidValue, UnsupportedField
from inference.core.events import Accepted, Event, Finished
from inference.serving import generation
from inference.storage.database_threads import in_database
from inference.storage.response_store import Stored

_ITEMS_AT_ONCE = 100


class ResponseId(StringConverter):
    """Only what begins as our ids do: OpenAI has addresses of its own here, such as /v1/responses/compact."""

    regex = "resp_[^/]+"


register_converter(ResponseId, "response")
router = Router()


@router.post("/responses")
async def create_response(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer input items, whole or as a stream of events, and keep the response."""
    body = await strict_json.read(request, ResponseBody)
    run = ResponseRun(Stored(request.auth.owner), body)
    conversation = await run.conversation()
    events = generation.stream(body.request(conversation.messages), request.auth)
    with field_names.in_names_of({**body.own_names, **conversation.fields}):
        if not body.stream:
            if task := asyncio.current_task():
                disconnects.at_end(request, task.cancel)
            return _json(await run.whole(events))
        feed = EventFeed(events)
        disconnects.at_end(request, feed.cancel)
        return sse.EventStream(run.frames(feed, await feed.accepted()))


@router.get("/responses/{response:response_id}")
async def get_response(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """Show a response that was kept."""
    _check_query(request)
    return _json((await in_database(lambda: Stored(request.auth.owner).find(response_id))).body)


@router.delete("/responses/{response:response_id}")
async def delete_response(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """Forget a response; those that went on from it cannot go on any more."""
    await in_database(lambda: Stored(request.auth.owner).delete(response_id))
    return _json({"id": response_id, "object": "response", "deleted": True})


@router.get("/responses/{response:response_id}/input_items")
async def list_input_items(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """List what was sent for a response, the newest first unless `order=asc`."""
    found = await in_database(lambda: Stored(request.auth.owner).find(response_id))
    return _json(_page(found.input, request))


class ResponseRun:
    """One response on its way, and where it will be kept."""

    def __init__(self, stored: Stored, body: ResponseBody) -> None:
        self._stored = stored
        self._body = body
        self._id = f"resp_{secrets.token_hex(24)}"
        self._answer = ResponseAnswer(self._id, body)
        self._input = output_items.input_items(body)
        self._number = 0

    async def conversation(self) -> output_items.Conversation:
        """The conversation that the model reads; raises NotFound where the response before is not there."""
        before: list[dict[str, Any]] = []
        if previous := self._body.previous_response_id:
            before = await in_database(lambda: self._stored.conversation(previous))
        return output_items.conversation(self._body.instructions or "", before, self._body)

    async def whole(self, events: AsyncGenerator[Event]) -> dict[str, Any]:
        is_finished = False
        async with aclosing(events):
            async for event in events:
                deque(self._answer.note(event), maxlen=0)
                is_finished = isinstance(event, Finished)
        if not is_finished:
            raise InternalError("The answer broke off; please ask again.")
        await self._keep()
        return self._answer.whole

    async def frames(self, feed: EventFeed, accepted: Accepted) -> AsyncGenerator[bytes]:
        """The response as events and [DONE]; `response.failed` is the last event where something broke."""
        async with aclosing(feed):
            yield self._framed([*self._answer.note(accepted), *self._answer.begin()])
            try:
                async for batch in feed.batches():
                    events = [one for event in batch for one in self._answer.note(event)]
                    yield self._framed(events) or sse.KEEP_ALIVE
                await self._keep()
                last = self._answer.end()
            except Exception as error:  # the boundary: whatever broke, the stream reports it
                last = self._answer.fail(errors.explain(error))
            yield self._framed([last]) + sse.DONE

    async def _keep(self) -> None:
        if self._body.is_stored:
            await in_database(lambda: self._stored.keep(self._answer.whole, self._input))

    def _framed(self, events: Iterable[StreamEvent]) -> bytes:
        return b"".join(self._frame(kind, facts) for kind, facts in events)

    def _frame(self, kind: str, facts: dict[str, Any]) -> bytes:
        number, self._number = self._number, self._number + 1
        return sse.event(msgspec.json.encode({"type": kind, "sequence_number": number, **facts}), name=kind)


def _page(found: list[dict[str, Any]], request: HttpRequest) -> dict[str, Any]:
    _check_query(request, "order", "after", "limit")
    asked = request.GET
    order, after, limit = asked.get("order", "desc"), asked.get("after"), asked.get("limit", "20")
    if order not in {"asc", "desc"}:
        raise InvalidValue("It must be asc or desc.", param="order")
    if not limit.isdecimal() or len(limit) > 3 or not 1 <= int(limit) <= _ITEMS_AT_ONCE:
        raise InvalidValue(f"It must be 1 to {_ITEMS_AT_ONCE}.", param="limit")
    listed = found if order == "asc" else found[::-1]
    ids = [item["id"] for item in listed]
    if after is not None and after not in ids:
        raise InvalidValue("There is no such item in this response.", param="after")
    begin = ids.index(after) + 1 if after else 0
    data = listed[begin : begin + int(limit)]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": begin + int(limit) < len(listed),
    }


def _check_query(request: HttpRequest, *known: str) -> None:
    """An address has fields too: those that would be ignored are refused."""
    for name in request.GET:
        if name not in known:
            raise UnsupportedField(f"{name[:64]!r} is not supported here.", param=name[:64])


def _json(value: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
