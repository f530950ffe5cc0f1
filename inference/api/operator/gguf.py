"""Below /api/gguf: the GGUF files of the server, their imports, and uploads of further ones in parts.

All need the right to download models: they too put one into the models folder.
"""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import raw_body, strict_json
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.action_history import note
from inference.api.operator.page_permission import PagePermission
from inference.core.errors import InvalidValue
from inference.core.gguf_import import MOST_BYTES, FileIdentity
from inference.core.threads import FILES
from inference.core.whole_number import whole_number
from inference.serving import gguf_imports

router = Router()
_ADDER = PagePermission("inference.add_download")
_File = Annotated[str, Field(min_length=1, max_length=512)]


class NamedFile(Strict):
    """Which file of the folder is meant."""

    file: _File


class NewImport(NamedFile):
    """Which file is imported; the model is named after it unless `name` is given."""

    name: Annotated[str, Field(max_length=200)] = ""


class NamedImport(Strict):
    """Which import is meant, by the name of its model; or which upload, by that of its file."""

    name: _File


class NewUpload(Strict):
    """Which file is sent: its name, its bytes, and its last change in milliseconds since the epoch."""

    name: _File
    size: Annotated[int, Field(ge=1)]
    modified: Annotated[int, Field(ge=0)]


@router.get("/gguf")
async def show(request: HttpRequest) -> HttpResponse:
    """The files of the folder, and the uploads that are not complete."""
    return json_answer(
        {
            "files": await FILES.run(gguf_imports.folder().files),
            "uploads": await FILES.run(gguf_imports.uploads().all),
            "part_bytes": gguf_imports.part_bytes(),
            "most_bytes": MOST_BYTES,
        }
    )


@router.get("/gguf/imports")
async def imports(request: HttpRequest) -> HttpResponse:
    """Those that wait, run or have ended since the site started, the newest first."""
    return json_answer(await FILES.run(gguf_imports.register().all))


@router.post("/gguf/imports")
async def start(request: HttpRequest) -> HttpResponse:
    """Start one, and answer with its place; GET has its progress."""
    wanted = await strict_json.read(request, NewImport)
    begun = await FILES.run(gguf_imports.begin, wanted.file, name=wanted.name)
    await note(request, "download", begun.name, f"Started to import {wanted.file[:200]}.")
    return json_answer(begun)


@router.post("/gguf/imports/cancel")
async def cancel(request: HttpRequest) -> HttpResponse:
    """Cancel one; nothing of it is left. Idempotent."""
    named = await strict_json.read(request, NamedImport)
    if await FILES.run(gguf_imports.register().cancel, named.name):
        await note(request, "download", named.name, "Cancelled the import.")
    return await imports(request)


@router.post("/gguf/uploads")
async def open_upload(request: HttpRequest) -> HttpResponse:
    """Begin an upload, or go on with one of the same file; `received` is where to go on."""
    wanted = await strict_json.read(request, NewUpload)
    file = FileIdentity(name=wanted.name, size=wanted.size, modified=wanted.modified)
    with gguf_imports.as_server_errors():
        return json_answer(await FILES.run(gguf_imports.uploads().open, file))


@router.post("/gguf/uploads/part")
async def append(request: HttpRequest) -> HttpResponse:
    """Add the body to a file, at `offset`; the query names the file as at the beginning."""
    part = raw_body.read(request, raw_body.FILES)
    file = FileIdentity(
        name=request.GET.get("name", ""), size=_number(request, "size"), modified=_number(request, "modified")
    )
    with gguf_imports.as_server_errors():
        upload = await FILES.run(gguf_imports.uploads().append, file, _number(request, "offset"), part)
    if upload.is_complete:
        await note(request, "download", file.name, "Uploaded the file.")
    return json_answer(upload)


@router.post("/gguf/uploads/discard")
async def discard(request: HttpRequest) -> HttpResponse:
    """Delete what has arrived of a file. Idempotent."""
    named = await strict_json.read(request, NamedImport)
    with gguf_imports.as_server_errors():
        is_gone = await FILES.run(gguf_imports.uploads().discard, named.name)
    if is_gone:
        await note(request, "download", named.name, "Discarded the upload.")
    return await show(request)


@router.post("/gguf/delete", auth=PagePermission("inference.remove_servedmodel"))
async def delete(request: HttpRequest) -> HttpResponse:
    """Delete a file of the folder, or a link in it; models that were imported from it stay."""
    named = await strict_json.read(request, NamedFile)
    await _ADDER(request)
    await FILES.run(gguf_imports.delete, named.file)
    await note(request, "download", named.file, "Deleted the file.")
    return await show(request)


def _number(request: HttpRequest, name: str) -> int:
    number = whole_number(request.GET.get(name, ""))
    if number is None:
        raise InvalidValue("Give a whole number of 0 or more.", param=name)
    return number
