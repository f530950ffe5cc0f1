"""Attached files over HTTP: they are read when they are added, and kept until the question is sent."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from inference.api.http import raw_body, strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import CompletionBody
from inference.core.errors import InvalidValue
from inference.core.events import Tokenized
from inference.core.requests import (
    PICTURE,
    ChatRequest,
    CompletionRequest,
    Message,
    Picture,
    TokenizeRequest,
)
from inference.serving import generation, runtime
from inference.storage.database_threads import in_database
from playground import attached_files, kept_pictures, models
from playground.file_text.limits import NoText
from playground.file_text.reading import READING, read
from playground.models import listed
from playground.visitor import Visitor, for_visitors

_READABLE_ELSEWHERE = (".pdf", ".docx")  # their text is no file of that kind


@for_visitors("POST")
async def add_attachment(visitor: Visitor) -> HttpResponse:
    """Add the file that is the body; the error of one that no model reads says why."""
    content = raw_body.read(visitor.request, raw_body.FILES)
    name = visitor.request.GET.get("name", "")
    try:
        found = await READING.run(read, content)
    except NoText as problem:
        raise InvalidValue(str(problem), param="file") from None
    added = await in_database(lambda: attached_files.add(visitor.user, name, len(content), found).stored)
    return json_answer({**listed(added), "tokens": None})


@for_visitors("GET", "DELETE")
async def attachment(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Read or remove a file that was not sent yet."""
    found = await in_database(lambda: attached_files.get(visitor.user, pk))
    if visitor.request.method == "DELETE":
        await in_database(found.delete)
        return json_answer({})
    picture = await in_database(lambda: kept_pictures.of_pending(found))
    return _file(visitor, found.name, picture or found.text)


@for_visitors("GET")
async def count_tokens(visitor: Visitor, pk: UUID) -> HttpResponse:
    """The tokens of a file as `model` reads it; null for one that is not loaded, or does not see."""
    model = visitor.request.GET.get("model", "")
    found = await in_database(lambda: attached_files.get(visitor.user, pk))
    loaded = runtime.pool().snapshot().of(model).loaded
    if loaded is None or not loaded.vocab_size:  # another server has its tokenizer
        return json_answer({"tokens": None})
    picture = await in_database(lambda: kept_pictures.of_pending(found))
    if picture is None:
        of = strict_json.check({"model": model, "prompt": found.text}, CompletionBody).request()
        return json_answer({"tokens": await _tokens(visitor, of)})
    if not loaded.sees:
        return json_answer({"tokens": None})
    seen, blank = (_question(model, pictures) for pictures in ((picture,), ()))
    whole, without = await _tokens(visitor, seen), await _tokens(visitor, blank)
    return json_answer({"tokens": None if whole is None or without is None else whole - without})


def _question(model: str, pictures: tuple[Picture, ...]) -> ChatRequest:
    """A question about these pictures, of which only the tokens are counted."""
    content = PICTURE * len(pictures) + "?"
    return ChatRequest(model=model, messages=(Message(role="user", content=content, pictures=pictures),))


async def _tokens(visitor: Visitor, of: ChatRequest | CompletionRequest) -> int | None:
    events = [one async for one in generation.stream(TokenizeRequest(of=of), visitor.principal)]
    counts = [len(one.tokens[0]) for one in events if isinstance(one, Tokenized)]
    return counts[0] if counts else None


@for_visitors("GET")
async def sent_attachment(visitor: Visitor, message: int, pk: UUID) -> HttpResponse:
    """The text of a file in one of the visitor's messages, or the picture that it is."""
    found = await in_database(partial(visitor.store.get_message, message))
    return await _sent(visitor, [found], pk)


@for_visitors("GET")
async def shared_attachment(visitor: Visitor, token: str, pk: UUID) -> HttpResponse:
    """The text of a file in a conversation that somebody shares, or the picture that it is."""
    messages = await in_database(partial(visitor.store.shared_branch, token))
    return await _sent(visitor, messages, pk)


async def _sent(visitor: Visitor, messages: Sequence[models.Message], pk: UUID) -> HttpResponse:
    file = attached_files.file_in(messages, pk)
    if "text" in file:
        return _file(visitor, file["name"], file["text"])
    conversation = messages[0].conversation_id
    return _file(
        visitor, file["name"], await in_database(lambda: kept_pictures.get(conversation, file["id"]))
    )


def _file(visitor: Visitor, name: str, content: str | Picture) -> HttpResponse:
    is_download = "download" in visitor.request.GET
    saved_as = name
    if isinstance(content, Picture):  # of one of four types, which no browser runs as a page
        response = HttpResponse(content.data, content_type=content.media_type)
    else:
        response = HttpResponse(content, content_type="text/plain; charset=utf-8")
        saved_as = f"{name}.txt" if name.lower().endswith(_READABLE_ELSEWHERE) else name
    if disposition := content_disposition_header(is_download, saved_as):
        response["Content-Disposition"] = disposition
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
