"""The playground's JSON API for single messages: edit, delete, restore, continue, copy into a new chat."""

from contextlib import suppress
from functools import partial
from typing import Any

from django.http import HttpResponse

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.core.errors import InvalidValue, Unavailable
from inference.core.threads import BODIES, CATALOG
from inference.serving import generation
from inference.storage.database_threads import in_database
from playground import changes, chat_request, continuation, kept_pictures
from playground.answers_elsewhere import ELSEWHERE
from playground.api import answer_id
from playground.message_store import MessageStore
from playground.models import Message
from playground.running_answers import RUNNING_ANSWERS
from playground.schemas import ContinueBody, EditBody, RestoreBody
from playground.titles import TITLES
from playground.visitor import Visitor, for_visitors

_RUNNING = "This answer is still being generated; stop it first."
_RUNNING_BELOW = "An answer is being written in this branch; stop it, or wait until it ends."


@for_visitors("PATCH", "DELETE")
async def message(visitor: Visitor, pk: int) -> HttpResponse:
    """Change the text of an answer, or delete a message: with all that follow it, or alone."""
    if visitor.request.method == "DELETE" and "alone" in visitor.request.GET:
        return await _delete_alone(visitor, pk)
    if visitor.request.method == "DELETE":
        payload = await in_database(lambda: _messages(visitor).delete_message(pk))
        await _stop(payload["deleted"])
        return await _changed(visitor, pk, payload)
    body = await strict_json.read(visitor.request, EditBody)
    await _check_ended(pk)
    if body.original is not None:
        original = body.original
        return await _changed(visitor, pk, await in_database(lambda: _messages(visitor).undo(pk, original)))
    content = body.content or ""
    return await _changed(visitor, pk, await in_database(lambda: _messages(visitor).edit_answer(pk, content)))


async def _delete_alone(visitor: Visitor, pk: int) -> HttpResponse:
    """Delete one message; refused while an answer is written there, which names its place in the branch."""
    below = await in_database(lambda: _messages(visitor).below(pk))
    if any(RUNNING_ANSWERS.get(one) for one in below) or await ELSEWHERE.has_any(below):
        raise InvalidValue(_RUNNING_BELOW, param="id")
    return await _changed(visitor, pk, await in_database(lambda: _messages(visitor).delete_alone(pk)))


@for_visitors("POST")
async def restore_message(visitor: Visitor, pk: int) -> HttpResponse:
    """Undo the deletion of a message and of all that followed it."""
    body = await strict_json.read(visitor.request, RestoreBody)
    payload = await in_database(lambda: _messages(visitor).restore_message(pk, body.tip))
    elsewhere = await RUNNING_ANSWERS.elsewhere(payload["messages"])
    messages = RUNNING_ANSWERS.reconciled(payload["messages"], elsewhere)
    return await _changed(visitor, pk, {**payload, "messages": messages})


@for_visitors("POST")
async def continue_answer(visitor: Visitor, pk: int) -> HttpResponse:
    """Continue an answer in place.

    1. Check that it has ended, has text, and that its model is still served; an error here changes nothing.
    2. Mark it as in progress, and generate the rest after the text it has.

    `original` is the id by which a change of the answer (PATCH) takes the continuation back.
    """
    body = await strict_json.read(visitor.request, ContinueBody)
    await _check_ended(pk)
    await RUNNING_ANSWERS.check_limit(visitor.principal.owner)
    found, branch = await in_database(lambda: _messages(visitor).to_continue(pk))
    question = await CATALOG.run(continuation.question, found.made, body.question)
    chat = await BODIES.run(chat_request.validated, question)
    TITLES.interrupt()
    original = await in_database(lambda: _messages(visitor).reopen(found))
    await _check_ended(pk)  # another window may have continued it meanwhile
    system = found.conversation.settings.get("system", "")
    prompt = visitor.system_prompt(system, body.timezone, chat.model)
    pictures = await in_database(lambda: kept_pictures.read_of(found.conversation_id, branch))
    request = continuation.request(chat, prompt, branch, pictures)
    if not await RUNNING_ANSWERS.claim(found, visitor.principal.owner):
        raise InvalidValue(_RUNNING, param="id")  # another window or front did meanwhile
    answer = RUNNING_ANSWERS.start(
        found, visitor.principal.owner, generation.stream(request, visitor.principal, answer_id(pk))
    )
    change = changes.messages(found.conversation_id)
    answer.on_saved(partial(visitor.publish, change))
    visitor.publish(change)
    messages = RUNNING_ANSWERS.with_progress([found.payload])
    return json_answer({"messages": messages, "original": original})


@for_visitors("POST")
async def branch_message(visitor: Visitor, pk: int) -> HttpResponse:
    """Copy the branch that ends with a message into a new conversation, with its settings.

    An answer in progress is copied as far as it has come, and counts as stopped in the copy.
    """
    origin, branch = await in_database(lambda: _messages(visitor).branch_of(pk))
    current = [_as_ended(one) for one in RUNNING_ANSWERS.reconciled(branch, frozenset())]
    added = await in_database(lambda: _messages(visitor).add_branch(origin, current))
    visitor.publish(changes.LISTED)
    return json_answer(added)


@for_visitors("POST")
async def copy_shared(visitor: Visitor, token: str) -> HttpResponse:
    """Copy what a shared conversation shows into a new one of the visitor's, without the settings.

    An answer in progress is copied as far as it has come, and counts as stopped in the copy.
    """
    fields, branch, pictures = await in_database(lambda: _messages(visitor).copy_of_shared(token))
    current = [_as_ended(one) for one in RUNNING_ANSWERS.reconciled(branch, frozenset())]
    added = await in_database(lambda: _messages(visitor).import_conversation(fields, current, pictures))
    visitor.publish(changes.LISTED)
    return json_answer(added)


async def _changed(visitor: Visitor, pk: int, payload: dict[str, Any]) -> HttpResponse:
    """The response to a change of a message, of which the visitor's other windows learn, too."""
    found = Message.objects.filter(pk=pk).values_list("conversation_id", flat=True)
    if conversation := await in_database(found.first):
        visitor.publish(changes.messages(conversation))
    return json_answer(payload)


def _messages(visitor: Visitor) -> MessageStore:
    return MessageStore(visitor.user)


def _as_ended(payload: dict[str, object]) -> dict[str, object]:
    return {**payload, "status": "stopped"} if payload["status"] == "answering" else payload


async def _check_ended(pk: int) -> None:
    if RUNNING_ANSWERS.get(pk) or await ELSEWHERE.has_any([pk]):
        raise InvalidValue(_RUNNING, param="id")


async def _stop(messages: list[int]) -> None:
    """Stop those of the answers that are in progress, and wait until they are saved."""
    answers = [answer for pk in messages if (answer := RUNNING_ANSWERS.get(pk))]
    for answer in answers:
        answer.stop()
    for answer in answers:
        await answer.join()
    with suppress(Unavailable):  # what goes on elsewhere ends in a message that nobody sees any more
        await ELSEWHERE.stop(messages)
