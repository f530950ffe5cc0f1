"""Attached files over HTTP: their text is read when they are added, and kept until the question is sent."""

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from inference.api.http import raw_body, strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import CompletionBody
from inference.core.errors import InvalidValue
from inference.core.events import Tokenized
from inference.core.requests import TokenizeRequest
from inference.serving import generation, runtime
from inference.storage.database_threads import in_database
from playground import attached_files
from playground.file_text.limits import NoText
from playground.file_text.reading import READING, text_of
from playground.visitor import Visitor, for_visitors

_READABLE_ELSEWHERE = (".pdf", ".docx")  # their text is no file of that kind


@for_visitors("POST")
async def add_attachment(visitor: Visitor) -> HttpResponse:
    """Add the file that is the body; the error of one without text says why it has none."""
    content = raw_body.read(visitor.request, raw_body.FILES)
    name = visitor.request.GET.get("name", "")
    try:
        text = await READING.run(text_of, content)
    except NoText as problem:
        raise InvalidValue(str(problem), param="file") from None
    added = await in_database(lambda: attached_files.add(visitor.user, name, len(content), text))
    facts = {"id": str(added.pk), "name": added.name, "size": added.size}
    return json_answer({**facts, "characters": len(text), "tokens": None})


@for_visitors("GET", "DELETE")
async def attachment(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Read or remove a file that was not sent yet."""
    found = await in_database(lambda: attached_files.get(visitor.user, pk))
    if visitor.request.method == "DELETE":
        await in_database(found.delete)
        return json_answer({})
    return _file(found.name, found.text, is_download="download" in visitor.request.GET)


@for_visitors("GET")
async def count_tokens(visitor: Visitor, pk: UUID) -> HttpResponse:
    """The tokens of a file for `model`, by its own tokenizer; null for one that is not loaded."""
    model = visitor.request.GET.get("model", "")
    found = await in_database(lambda: attached_files.get(visitor.user, pk))
    if runtime.pool().snapshot().of(model).loaded is None:
        return json_answer({"tokens": None})
    of = strict_json.check({"model": model, "prompt": found.text}, CompletionBody).request()
    events = [one async for one in generation.stream(TokenizeRequest(of=of), visitor.principal)]
    counts = [len(one.tokens[0]) for one in events if isinstance(one, Tokenized)]
    return json_answer({"tokens": counts[0] if counts else None})


@for_visitors("GET")
async def sent_attachment(visitor: Visitor, message: int, pk: UUID) -> HttpResponse:
    """The text of a file in one of the visitor's messages."""
    found = await in_database(partial(visitor.store.get_message, message))
    file = attached_files.text_in([found], pk)
    return _file(file["name"], file["text"], is_download="download" in visitor.request.GET)


@for_visitors("GET")
async def shared_attachment(visitor: Visitor, token: str, pk: UUID) -> HttpResponse:
    """The text of a file in a conversation that somebody shares."""
    messages = await in_database(partial(visitor.store.shared_branch, token))
    file = attached_files.text_in(messages, pk)
    return _file(file["name"], file["text"], is_download="download" in visitor.request.GET)


def _file(name: str, text: str, *, is_download: bool) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    saved_as = f"{name}.txt" if name.lower().endswith(_READABLE_ELSEWHERE) else name
    if disposition := content_disposition_header(is_download, saved_as):
        response["Content-Disposition"] = disposition
    response["Cache-Control"] = "private, no-store"
    return response
