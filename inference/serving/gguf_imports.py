"""Importing GGUF files: the folder, the uploads and the register, for the admin and the API."""

import contextlib
from collections.abc import Iterator
from contextlib import nullcontext

from django.conf import settings

from inference.core.errors import InvalidValue, NotFound, ServerError, StorageFull, Unavailable
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.importing import uploads as uploading
from inference.repository.importing.gguf_folder import GgufFolder
from inference.repository.importing.plan import make_plan
from inference.repository.importing.register import ActiveImport, Imports
from inference.repository.importing.uploads import PART_BYTES, ModelUploads, UploadRefused
from inference.serving import runtime

_register: Imports | None = None
_folder: GgufFolder | None = None
_BUSY_S = 1.0


def register() -> Imports:
    """The imports of this process."""
    global _register
    if _register is None:
        _register = Imports(
            settings.CONFIG.models_path,
            claim=lambda plan: nullcontext(),  # a conversion keeps a few hundred megabytes at a time
            on_done=lambda: runtime.catalog().forget(),
            leaves_notes=True,
        )
    return _register


@contextlib.contextmanager
def use_register(other: Imports) -> Iterator[Imports]:
    """Use `other` while the block runs."""
    global _register
    before, _register = _register, other
    try:
        yield other
    finally:
        _register = before


def folder() -> GgufFolder:
    """The folder for GGUF files; the default one is created."""
    global _folder
    config = settings.CONFIG
    if config.gguf_dir is None:
        with contextlib.suppress(OSError):  # then it lists nothing, and says so
            config.gguf_path.mkdir(parents=True, exist_ok=True)
    if _folder is None or _folder.path != config.gguf_path:
        _folder = GgufFolder(config.gguf_path)
    return _folder


def uploads() -> ModelUploads:
    return ModelUploads(folder().path)


def part_bytes() -> int:
    """The largest part of a file in one request, whose body has a limit."""
    return min(PART_BYTES, int(settings.CONFIG.max_body_bytes))


def start(file: str, *, name: str = "") -> ActiveImport:
    """Plan an import and start it, or let it wait for those before it; raises ConversionRefused."""
    return register().start(make_plan(folder(), file, settings.CONFIG.models_path, name=name))


def remove(file: str) -> None:
    """Delete a file of the folder, or a link in it; raises ConversionRefused, also while it is imported."""
    if any(one.is_active and one.plan and one.plan.job.source == file for one in register().all()):
        raise ConversionRefused(f"The file {file} is being imported; cancel that first.", field="file")
    folder().remove(file)


def delete(file: str) -> None:
    """The same for clients; raises InvalidValue with why it is refused."""
    try:
        remove(file)
    except ConversionRefused as error:
        raise InvalidValue(str(error), param=error.field) from None


def begin(file: str, *, name: str = "") -> ActiveImport:
    """The same for clients; raises InvalidValue with why it is refused."""
    try:
        return start(file, name=name)
    except ConversionRefused as error:
        raise InvalidValue(str(error), param=error.field) from None


@contextlib.contextmanager
def as_server_errors() -> Iterator[None]:
    """Raise the ServerError for an UploadRefused of the block."""
    try:
        yield
    except UploadRefused as error:
        raise _server_error(error) from None


def _server_error(error: UploadRefused) -> ServerError:
    text = str(error)
    if isinstance(error, uploading.NoUpload):
        return NotFound(text)
    if isinstance(error, uploading.NoRoom):
        return StorageFull(text)
    if isinstance(error, uploading.UploadBusy):
        return Unavailable(text, retry_after=_BUSY_S)
    return InvalidValue(text, param=error.field)
