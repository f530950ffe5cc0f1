"""Import and export over HTTP: files of any known format in, all chats out."""

from collections.abc import AsyncGenerator, Mapping
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from inference.api.http import raw_body, strict_json
from inference.api.http.json_answer import json_answer
from inference.api.http.sse import EventStream
from inference.core.errors import InvalidValue, NotFound
from inference.core.threads import FILES
from inference.core.whole_number import whole_number
from inference.storage.database_threads import in_database
from playground import changes, export_all, kept_pictures
from playground.current_state import read_current
from playground.imports.import_job import ChatImportJob
from playground.imports.importer import Importer
from playground.imports.uploads import UPLOADS, ChatUpload
from playground.schemas import UploadBody
from playground.store import ConversationStore
from playground.visitor import Visitor, for_visitors

_COPIES = "copies"  # of chats that an earlier import has added


@for_visitors("GET")
async def export_chats(visitor: Visitor, form: str) -> HttpResponseBase:
    """All chats as a file: JSON has all branches, the archive a Markdown file for each chat."""
    if form not in export_all.FORMATS:
        raise NotFound(f"All chats are exported as {' or '.join(export_all.FORMATS)}.")
    write, media_type = export_all.FORMATS[form]
    chats = _chats(visitor.store, has_pictures=form == "json")
    response = EventStream(write(chats), content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="chats-{timezone.now():%Y-%m-%d}.{form}"'
    return response


async def _chats(store: ConversationStore, *, has_pictures: bool) -> AsyncGenerator[Mapping[str, Any]]:
    """Each chat as it is when its turn comes; one that is deleted meanwhile is left out."""
    for pk in await in_database(store.ids):
        try:
            chat = await read_current(partial(store.exported, pk))
        except NotFound:
            continue
        yield await in_database(partial(kept_pictures.with_pictures, chat)) if has_pictures else chat


@for_visitors("POST")
async def import_chats(visitor: Visitor) -> HttpResponse:
    """Add the chats of a file, which is the body: JSON or a ZIP archive of any known format.

    The response is the report, and for a file with one chat also that conversation. A file with one chat
    that cannot be imported is an error.
    """
    body = raw_body.read(visitor.request, raw_body.FILES)
    importer = Importer(visitor.store, takes_copies=_COPIES in visitor.request.GET)
    job = ChatImportJob(importer, BytesIO(body), len(body))
    await job.run()
    visitor.publish(changes.LISTED)
    error = job.error or (importer.error if importer.report.count == 1 else None)
    if error:
        raise error
    single = importer.single if importer.report.count == 1 else None
    return json_answer({**(single or {}), **importer.report.payload})


@for_visitors("POST")
async def open_upload(visitor: Visitor) -> HttpResponse:
    """Begin to send a file in parts."""
    body = await strict_json.read(visitor.request, UploadBody)
    return json_answer(_payload(UPLOADS.open(visitor.principal.owner, body.size)))


@for_visitors("GET", "POST", "DELETE")
async def upload(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Read the state of an upload, add a part at `offset`, or cancel it."""
    found = UPLOADS.get(pk, visitor.principal.owner)
    if visitor.request.method == "DELETE":
        UPLOADS.close(found)
    elif visitor.request.method == "POST":
        offset = whole_number(visitor.request.GET.get("offset", ""))
        if offset is None:
            raise InvalidValue("It must be a number of 0 or more.", param="offset")
        await FILES.run(found.append, offset, raw_body.read(visitor.request, raw_body.FILES))
    return json_answer(_payload(found))


@for_visitors("POST")
async def import_upload(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Import a file that has arrived as a whole; `upload` says how far it is."""
    found = UPLOADS.get(pk, visitor.principal.owner)
    importer = Importer(visitor.store, takes_copies=_COPIES in visitor.request.GET)
    found.start(importer, on_end=partial(visitor.publish, changes.LISTED))
    return json_answer(_payload(found))


def _payload(found: ChatUpload) -> dict[str, Any]:
    facts = {"id": str(found.id), "size": found.size, "received": found.received, "state": "receiving"}
    return {**facts, **(found.job.payload if found.job else {})}
