"""The playground's JSON API: list, open and change conversations, ask a question, follow an answer."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase

from inference.api.http import sse, strict_json
from inference.api.http.json_answer import json_answer
from inference.core.errors import NotFound
from inference.core.principal import ANYBODY
from inference.core.requests import ChatRequest
from inference.core.threads import BODIES, CATALOG
from inference.serving import generation
from inference.serving.active_requests import STREAMS
from inference.storage.database_threads import in_database
from playground import (
    answer_stream,
    changes,
    chat_request,
    comparison,
    export,
    kept_pictures,
    requested_models,
    seeing_models,
    takeover,
)
from playground.answers_elsewhere import ELSEWHERE
from playground.current_state import read_current
from playground.running_answers import RUNNING_ANSWERS, RunningAnswer
from playground.schemas import AskBody, ChangeBody
from playground.titles import TITLES
from playground.turn import store_turn
from playground.visitor import Visitor, for_visitors

BEGINNINGS: set[asyncio.Task[dict[str, Any]]] = set()  # turns that are being stored
_SEEDS = 2**53  # the largest range of integers that JavaScript represents exactly


@for_visitors("GET", "PATCH", "DELETE")
async def conversation(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Read, change or delete one conversation."""
    store = visitor.store
    if visitor.request.method == "DELETE":
        await in_database(lambda: store.delete(pk))
        RUNNING_ANSWERS.stop_conversation(pk)
        ELSEWHERE.stop_conversation(pk)
        visitor.publish(changes.deleted(pk))
        return json_answer({})
    if visitor.request.method == "PATCH":
        body = await strict_json.read(visitor.request, ChangeBody)
        facts = body.model_dump(exclude_unset=True, exclude_none=True)
        listed = await in_database(lambda: store.update(pk, facts))
        visitor.publish(changes.LISTED)
        return json_answer(listed)
    return json_answer(await read_current(lambda: store.read(pk)))


@for_visitors("POST", "DELETE")
async def share(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Share a conversation by a link, or stop sharing it."""
    is_shared = visitor.request.method == "POST"
    listed = await in_database(lambda: visitor.store.set_shared(pk, is_shared))
    visitor.publish(changes.LISTED)
    return json_answer(listed)


@for_visitors("GET", "POST")
async def open_conversations(visitor: Visitor) -> HttpResponse:
    """The chats of an open site that the visitor's account may take over; POST takes them over."""
    if visitor.request.method == "GET":
        return json_answer(await in_database(lambda: takeover.offer(visitor.user)))
    taken = await in_database(lambda: takeover.take_over(visitor.user))
    changes.CHANGES.publish_everywhere(ANYBODY.owner, changes.LISTED)
    visitor.publish(changes.LISTED)
    return json_answer({"count": len(taken)})


@for_visitors("GET")
async def shared_conversation(visitor: Visitor, token: str) -> HttpResponse:
    """A conversation that somebody shares, to read."""
    return json_answer(await read_current(lambda: visitor.store.read_shared(token)))


@for_visitors("POST")
async def ask(visitor: Visitor) -> HttpResponse:
    """Start the answer to a question, or one by each of the models that are compared.

    1. Check the body, the visitor's limit, and the question for each model; an error here stores nothing.
    2. Store the question with an empty answer for each model, all or nothing.
    3. Start the answers. Each continues by itself; `follow_answer` streams it.
    4. After the first answer of a conversation, have the model write a title.
    """
    body = await strict_json.read(visitor.request, AskBody)
    await RUNNING_ANSWERS.check_limit(visitor.principal.owner)
    TITLES.interrupt()
    questions = _questions(body)
    requests = await BODIES.run(_validated, questions)
    models = [request.model for request in requests]
    await CATALOG.run(requested_models.check, models)
    await seeing_models.check(visitor, body, models)
    # A page that is reloaded now cancels this request; what was stored is answered all the same.
    beginning = asyncio.create_task(_begin(visitor, body, questions, requests))
    BEGINNINGS.add(beginning)
    beginning.add_done_callback(BEGINNINGS.discard)
    return json_answer(await asyncio.shield(beginning))


async def _begin(
    visitor: Visitor, body: AskBody, questions: list[dict[str, Any]], requests: list[ChatRequest]
) -> dict[str, Any]:
    """Store a turn and start its answers; returns what the page shows."""
    turn = await in_database(lambda: store_turn(visitor.store, body, questions))
    found, branch = turn.conversation, turn.branch
    pictures = await in_database(lambda: kept_pictures.read_of(found.pk, chat_request.read_of(branch)))
    system = body.settings.get("system", "")
    for message, request in zip(turn.answers, requests, strict=True):
        prompt = visitor.system_prompt(system, body.timezone, request.model)
        chat = chat_request.with_conversation(request, prompt, branch, pictures)
        events = generation.stream(chat, visitor.principal, answer_id(message.pk))
        await RUNNING_ANSWERS.claim(message, visitor.principal.owner)
        answer = RUNNING_ANSWERS.start(message, visitor.principal.owner, events)
        answer.on_saved(partial(visitor.publish, changes.messages(found.pk, message.pk)))
    visitor.publish(changes.messages(found.pk, turn.answers[-1].pk))
    if len(branch) == 1 and body.content is not None:
        model, first_question = requests[-1].model, body.content
        answer.on_saved(lambda: _start_title(answer, visitor, model, first_question))
    messages = [message.payload for message in (branch[-1], *turn.answers)]
    payload = {
        "conversation": str(found.pk),
        "title": str(found),
        "messages": RUNNING_ANSWERS.with_progress(messages),
    }
    if len(questions) > 1:
        payload["plan"] = await CATALOG.run(comparison.plan, [request.model for request in requests])
    return payload


def _start_title(answer: RunningAnswer, visitor: Visitor, model: str, question: str) -> None:
    """Have the model write a title after a conversation's first answer, unless that was stopped or failed."""
    if answer.is_done:
        TITLES.start(answer.message.conversation_id, visitor.principal, model, question)


def _questions(body: AskBody) -> list[dict[str, Any]]:
    """The question for each model, all with one seed, so that each answer can be reproduced."""
    question = {**body.question, "seed": body.question.get("seed", secrets.randbelow(_SEEDS))}
    return [{**question, "model": model} for model in dict.fromkeys(body.models)] or [question]


def _validated(questions: list[dict[str, Any]]) -> list[ChatRequest]:
    return [chat_request.validated(question) for question in questions]


@for_visitors("GET")
async def follow_answer(visitor: Visitor, pk: int) -> HttpResponseBase:
    """An answer as server-sent events: all of it so far, then each event, then all of it."""
    await in_database(lambda: visitor.store.get_message(pk))
    if answer := RUNNING_ANSWERS.get(pk):
        return sse.EventStream(answer.frames())
    if other := await ELSEWHERE.find(pk):
        return sse.EventStream(ELSEWHERE.frames(pk, other))
    message = await in_database(lambda: visitor.store.get_message(pk))  # it may have ended meanwhile
    return sse.EventStream(_ended(RUNNING_ANSWERS.reconciled([message.payload], frozenset())[0]))


async def _ended(payload: dict[str, Any]) -> AsyncGenerator[bytes]:
    yield answer_stream.answer_frame(payload)


@for_visitors("POST")
async def stop_answer(visitor: Visitor, pk: int) -> HttpResponse:
    """Stop an answer in progress, from any page; returns once it is saved."""
    await in_database(lambda: visitor.store.get_message(pk))
    if answer := RUNNING_ANSWERS.get(pk):
        answer.stop()
        await answer.join()
    else:
        await ELSEWHERE.stop([pk])
    return json_answer({})


@for_visitors("POST")
async def answer_now(visitor: Visitor, pk: int) -> HttpResponse:
    """End the reasoning of an answer in progress, from any page; `success` is false where none goes on."""
    await in_database(lambda: visitor.store.get_message(pk))
    has_ended = False
    if RUNNING_ANSWERS.get(pk) is None:
        has_ended = await ELSEWHERE.end_thinking(pk, answer_id(pk), visitor.principal)
        return json_answer({"success": has_ended})
    with suppress(NotFound):  # it has ended meanwhile
        has_ended = await STREAMS.end_thinking(answer_id(pk), visitor.principal)
    return json_answer({"success": has_ended})


def answer_id(message: int) -> str:
    """The id under which an answer in progress is found."""
    return f"playground-{message}"


@for_visitors("GET")
async def export_conversation(visitor: Visitor, pk: UUID, form: str) -> HttpResponse:
    """A conversation as a file: JSON contains all branches, Markdown the one that is shown."""
    if form not in export.FORMATS:
        raise NotFound(f"A conversation is exported as {' or '.join(export.FORMATS)}.")
    payload = await read_current(lambda: visitor.store.exported(pk))
    if form == "json":
        payload = await in_database(lambda: kept_pictures.with_pictures(payload))
    write, media_type = export.FORMATS[form]
    response = HttpResponse(await BODIES.run(write, payload), content_type=f"{media_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="conversation-{str(pk)[:8]}.{form}"'
    return response
