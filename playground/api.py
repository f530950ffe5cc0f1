"""The addresses of conversations: listing, opening, changing, asking, following an answer."""

import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods
from msgspec import structs

from inference.accounts.permissions import acheck_may_chat, visitor
from inference.api.http import errors, sse, strict_json
from inference.api.openai.schemas import ChatCompletionBody
from inference.core.errors import AuthenticationFailed, InvalidValue, NotFound, ServerError
from inference.core.principal import Principal
from inference.core.requests import ChatRequest
from inference.core.threads import BODIES, CATALOG
from inference.serving import generation
from inference.storage.database_threads import in_database
from playground import answer_stream, comparison, export
from playground.running_answers import RUNS, Run
from playground.schemas import AskBody, ChangeBody, ImportBody
from playground.store import Library, turns
from playground.titles import TITLES

P = ParamSpec("P")
View = Callable[Concatenate["Visitor", P], Coroutine[Any, Any, HttpResponseBase]]
_SEEDS = 2**53  # what JavaScript counts exactly


class Visitor:
    """Who asks, and what is theirs."""

    def __init__(self, request: HttpRequest, principal: Principal, user: Any) -> None:
        self.request = request
        self.principal = principal
        self.library = Library(user if principal.kind == "user" else None)


def _for_visitors(*methods: str) -> Callable[[View[P]], Callable[..., Any]]:
    """A view for whoever may chat, whose errors are told as JSON."""

    def decorate(view: View[P]) -> Callable[..., Any]:
        @require_http_methods(list(methods))
        @wraps(view)
        async def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                user = await request.auser()
                principal = visitor(user)
                if principal is None:
                    raise AuthenticationFailed("You are signed out; reload the page to sign in again.")
                await acheck_may_chat(user)
                return await view(Visitor(request, principal, user), *args, **kwargs)
            except ServerError as error:
                return errors.response(error)

        return guarded

    return decorate


@_for_visitors("GET")
async def listing(visitor: Visitor) -> HttpResponse:
    words, after = visitor.request.GET.get("words", "")[:200], visitor.request.GET.get("after", "0")
    if not after.isdecimal() or len(after) > 9:
        raise InvalidValue("It must be a number from 0 up.", param="after")
    return _json(await in_database(lambda: visitor.library.page(words=words, after=int(after))))


@_for_visitors("GET", "PATCH", "DELETE")
async def one(visitor: Visitor, pk: UUID) -> HttpResponse:
    library = visitor.library
    if visitor.request.method == "DELETE":
        await in_database(lambda: library.delete(pk))
        return _json({})
    if visitor.request.method == "PATCH":
        body = await strict_json.read(visitor.request, ChangeBody)
        facts = body.model_dump(exclude_unset=True, exclude_none=True)
        return _json(await in_database(lambda: library.change(pk, facts)))
    return _json(await _read(lambda: library.whole(pk)))


@_for_visitors("POST")
async def restore(visitor: Visitor, pk: UUID) -> HttpResponse:
    return _json(await in_database(lambda: visitor.library.restore(pk)))


@_for_visitors("POST", "DELETE")
async def share(visitor: Visitor, pk: UUID) -> HttpResponse:
    is_shared = visitor.request.method == "POST"
    return _json(await in_database(lambda: visitor.library.share(pk, is_shared)))


@_for_visitors("GET")
async def shared(visitor: Visitor, token: str) -> HttpResponse:
    """A conversation that somebody shares, to read."""
    return _json(await _read(lambda: visitor.library.shared(token)))


@_for_visitors("POST")
async def ask(visitor: Visitor) -> HttpResponse:
    """Begin an answer; it goes on by itself, and `follow` tells it."""
    library, body = visitor.library, await strict_json.read(visitor.request, AskBody)
    RUNS.check_room(visitor.principal.owner)
    TITLES.cancel()
    questions = _questions(body)
    await BODIES.run(_check, questions)  # refused before anything is kept
    found, path = await in_database(
        lambda: library.ask(
            UUID(body.conversation) if body.conversation else None,
            body.parent,
            body.content,
            body.results,
            body.settings,
        )
    )
    asked = [path[-1].told]
    request = await BODIES.run(_request, questions[0], [*_system(body), *turns(path)])
    for question in questions:
        answer = await in_database(partial(library.answer, found, path[-1], question))
        asks = structs.replace(request, model=question["model"])
        run = RUNS.begin(answer, visitor.principal.owner, generation.stream(asks, visitor.principal))
        asked.append(answer.told)
    if len(path) == 1 and body.content is not None and len(questions) == 1:
        model, words = questions[0]["model"], body.content
        run.at_end(lambda: _entitle(run, visitor, model, words))
    told = {"conversation": str(found.pk), "title": str(found), "messages": RUNS.current(asked)}
    if len(questions) > 1:
        told["plan"] = await CATALOG.run(comparison.plan, [one["model"] for one in questions])
    return _json(told)


def _entitle(run: Run, visitor: Visitor, model: str, words: str) -> None:
    """Have a conversation's first answer followed by a title."""
    if run.is_done:
        TITLES.begin(run.message.conversation_id, visitor.principal, model, words)


def _questions(body: AskBody) -> list[dict[str, Any]]:
    """What each model is asked: the same, with the same seed, so that each answer can be made again."""
    question = {**body.question, "seed": body.question.get("seed", secrets.randbelow(_SEEDS))}
    return [{**question, "model": model} for model in dict.fromkeys(body.models)] or [question]


@_for_visitors("GET")
async def follow(visitor: Visitor, pk: int) -> HttpResponseBase:
    """An answer as server-sent events: all of it so far, then what comes, then all of it."""
    await in_database(lambda: visitor.library.message(pk))
    if run := RUNS.of(pk):
        return sse.EventStream(run.frames())
    message = await in_database(lambda: visitor.library.message(pk))  # it may have ended meanwhile
    return sse.EventStream(_ended(RUNS.settled([message.told])[0]))


async def _ended(answer: dict[str, Any]) -> AsyncGenerator[bytes]:
    yield answer_stream.whole(answer)


@_for_visitors("POST")
async def stop(visitor: Visitor, pk: int) -> HttpResponse:
    """End an answer under way, from any page."""
    await in_database(lambda: visitor.library.message(pk))
    if run := RUNS.of(pk):
        run.stop()
        await run.join()
    return _json({})


@_for_visitors("GET")
async def take_out(visitor: Visitor, pk: UUID, form: str) -> HttpResponse:
    """A conversation as a file: JSON has all of it, Markdown the branch that is shown."""
    if form not in export.FORMS:
        raise NotFound(f"A conversation is taken out as {' or '.join(export.FORMS)}.")
    whole = await _read(lambda: visitor.library.whole(pk))
    write, kind = export.FORMS[form]
    response = HttpResponse(await BODIES.run(write, whole), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="conversation-{str(pk)[:8]}.{form}"'
    return response


@_for_visitors("POST")
async def bring_in(visitor: Visitor) -> HttpResponse:
    """Add a conversation from a file that `take_out` made."""
    body = await strict_json.read(visitor.request, ImportBody)
    facts = await BODIES.run(body.model_dump)
    return _json(await in_database(lambda: visitor.library.bring_in(facts, facts["messages"])))


async def _read(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A conversation as it is now, answers under way included."""
    whole = await in_database(read)
    if RUNS.misses(whole["messages"]):  # one may have ended, and been saved, behind the first look
        whole = await in_database(read)
    return whole | {"messages": RUNS.settled(whole["messages"])}


def _system(body: AskBody) -> list[dict[str, Any]]:
    words = body.settings.get("system", "").strip()
    return [{"role": "system", "content": words}] if words else []


def _check(questions: list[dict[str, Any]]) -> None:
    """Refuse a question that no conversation could be asked with."""
    for question in questions:
        _request(question, [{"role": "user", "content": "hi"}])


def _request(question: dict[str, Any], messages: list[dict[str, Any]]) -> ChatRequest:
    """What the model is asked: a body of the API's own, of which the page shows one answer.

    Megabytes of conversation take a while to be checked, so call it from a thread.
    """
    body = strict_json.check({**question, "messages": messages}, ChatCompletionBody)
    if body.n not in {None, 1}:
        raise InvalidValue("This page shows one answer at a time.", param="n")
    return body.request()


def _json(told: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(told), content_type="application/json")
