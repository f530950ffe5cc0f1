"""The addresses of responses: run them, and those that were kept."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import register_converter
from django.urls.converters import StringConverter
from ninja import Router

from inference.api.http import answer_headers, disconnects, field_names, sse, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.event_feed import EventFeed
from inference.api.http.json_answer import json_answer
from inference.api.openai.responses import input_items, queries, trace
from inference.api.openai.responses.background_runs import RUNS
from inference.api.openai.responses.response_run import ResponseRun
from inference.api.openai.responses.runs_elsewhere import ELSEWHERE
from inference.api.openai.schemas import ResponseBody
from inference.core.errors import InvalidValue
from inference.core.requests import ChatRequest
from inference.storage.database_threads import in_database
from inference.storage.response_store import Stored


class ResponseId(StringConverter):
    """Only what begins as our ids do: OpenAI has addresses of its own here, such as /v1/responses/compact."""

    regex = "resp_[^/]+"


register_converter(ResponseId, "response")
router = Router()


@router.post("/responses")
async def create_response(request: AuthenticatedRequest) -> HttpResponseBase:
    """Answer input items, whole or as a stream of events, and keep the response."""
    body = await strict_json.read(request, ResponseBody)
    answer_headers.list_in(request, answer_headers.NOTED, body.noted_values)
    answer_headers.list_in(request, answer_headers.OMITTED, input_items.omitted(body))
    run = ResponseRun(request.auth.owner, body)
    await run.hold()
    try:
        return await _begin(request, body, run)
    except BaseException:
        await run.release()
        raise


async def _begin(request: AuthenticatedRequest, body: ResponseBody, run: ResponseRun) -> HttpResponseBase:
    """Answer completely or begin the stream. Its end, or the caller that catches an error, ends the run."""
    with field_names.in_names_of(body.own_names):
        chat_request = await run.prepare()
        await run.check_quota(request.auth.account)
    on_accepted = answer_headers.on_accepted(request, partial(field_names.path_of, names=run.field_names))
    if body.background:
        return await _in_background(request, body, run, chat_request)
    disconnects.at_end(request, run.release_soon)
    events = run.events(chat_request, request.auth)
    if body.stream:
        feed = EventFeed(events, run.field_names)
        disconnects.at_end(request, feed.cancel)
        return sse.EventStream(await run.stream(feed, on_accepted))
    disconnects.cancel_at_end(request)
    with field_names.in_names_of(run.field_names):
        return json_answer(await run.whole(events, on_accepted))


async def _in_background(
    request: AuthenticatedRequest, body: ResponseBody, run: ResponseRun, chat_request: ChatRequest
) -> HttpResponseBase:
    """Store the response, begin it, and answer what it is so far."""
    await RUNS.check(request.auth.owner)
    await run.keep()
    background = await RUNS.begin(run, request.auth.owner, run.events(chat_request, request.auth))
    return sse.EventStream(background.frames()) if body.stream else json_answer(background.whole)


@router.get("/responses/{response:response_id}")
async def get_response(request: AuthenticatedRequest, response_id: str) -> HttpResponseBase:
    """Show a response that was kept or is under way; `stream=true` gives its events again."""
    shown_as = queries.shown_as(request)
    if run := RUNS.find(request.auth.owner, response_id):
        if shown_as.stream:
            return sse.EventStream(run.frames(shown_as.starting_after))
        return json_answer(await run.shown())
    if other := await ELSEWHERE.find(request.auth.owner, response_id):
        if shown_as.stream:
            return sse.EventStream(other.frames(shown_as.starting_after))
        stored = await in_database(lambda: Stored(request.auth.owner).find(response_id))
        return json_answer(await other.shown() or stored.body)
    found = await in_database(lambda: Stored(request.auth.owner).ended(response_id))
    return (
        _replay(found.body, found.trace, shown_as.starting_after)
        if shown_as.stream
        else json_answer(found.body)
    )


def _replay(body: Mapping[str, Any], kept: trace.Trace, after: int) -> HttpResponseBase:
    frames = trace.replayed(body, kept, after)

    async def sent() -> Any:
        yield sse.OPENED
        for frame in frames:
            yield frame

    return sse.EventStream(sent())


@router.post("/responses/{response:response_id}/cancel")
async def cancel_response(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """Cancel a response in the background; its output so far stays, and so does one that has ended."""
    queries.check(request)
    if run := RUNS.find(request.auth.owner, response_id):
        await run.cancel()
        return json_answer(run.whole)
    if (other := await ELSEWHERE.find(request.auth.owner, response_id)) and (whole := await other.cancel()):
        return json_answer(whole)
    found = await in_database(lambda: Stored(request.auth.owner).ended(response_id))
    if not found.body["background"]:
        raise InvalidValue("Only a response that was created with background: true can be cancelled.")
    return json_answer(found.body)


@router.delete("/responses/{response:response_id}")
async def delete_response(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """Forget a response; those that went on from it cannot go on any more."""
    if run := RUNS.find(request.auth.owner, response_id):
        await run.cancel()
    elif other := await ELSEWHERE.find(request.auth.owner, response_id):
        await other.cancel()
    await in_database(lambda: Stored(request.auth.owner).delete(response_id))
    return json_answer({"id": response_id, "object": "response", "deleted": True})


@router.get("/responses/{response:response_id}/input_items")
async def list_input_items(request: AuthenticatedRequest, response_id: str) -> HttpResponse:
    """List what was sent for a response, the newest first unless `order=asc`."""
    found = await in_database(lambda: Stored(request.auth.owner).find(response_id))
    return json_answer(queries.page(found.input, request))
