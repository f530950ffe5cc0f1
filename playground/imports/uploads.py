"""Files that are larger than a request's body: they arrive in parts, and then are imported."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from typing import IO
from uuid import UUID, uuid4

from django.conf import settings

from inference.core.errors import InvalidValue, NotFound, QueueFull, Unavailable
from playground.imports.import_job import ChatImportJob
from playground.imports.importer import Importer

MAX_BYTES = 2**30
_MAX_OPEN = 2  # of one visitor
_MAX_OPEN_OF_ALL = 16
KEPT_S = 600.0  # after the last request about it


class ChatUpload:
    """One file on its way; it has no name on the disk, so that it goes with the process."""

    def __init__(self, owner: str, size: int) -> None:
        self.id = uuid4()
        self.owner = owner
        self.size = size
        self.received = 0
        self.touched_at = time.monotonic()
        self.job: ChatImportJob | None = None
        self._task: asyncio.Task[None] | None = None
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=settings.CONFIG.data_dir)  # noqa: SIM115

    @property
    def is_busy(self) -> bool:
        return self.job is not None and not self.job.is_over

    def append(self, offset: int, part: bytes) -> None:
        """Write a part; one that is sent again is ignored. Raises InvalidValue and Unavailable."""
        if self.job or offset > self.received or self.received + len(part) > self.size:
            raise InvalidValue("This part of the file has a wrong offset.", param="offset")
        if offset < self.received:
            return
        try:
            self._file.write(part)
            self._file.flush()
        except OSError:
            raise Unavailable("The server could not store the file; its disk may be full.") from None
        self.received += len(part)

    def start(self, importer: Importer, on_end: Callable[[], object]) -> None:
        """Import what has arrived, and call `on_end` after that; raises InvalidValue before all of it has."""
        if self.job or self.received != self.size:
            raise InvalidValue("The upload is not complete.", param="size")
        self._file.seek(0)
        self.job = ChatImportJob(importer, self._file, self.size)
        self._task = asyncio.create_task(self.job.run())
        self._task.add_done_callback(lambda _: on_end())

    def close(self) -> None:
        """Cancel the import, or delete what has arrived."""
        if self.job:
            self.job.cancel()
        else:
            self._file.close()


class ChatUploads:
    """The uploads of this process; each belongs to the visitor who began it."""

    def __init__(self) -> None:
        self._uploads: dict[UUID, ChatUpload] = {}

    def open(self, owner: str, size: int) -> ChatUpload:
        """Begin an upload; raises InvalidValue for too large a file, and QueueFull."""
        if size > MAX_BYTES:
            raise InvalidValue("The file is larger than 1 GB, the largest that is imported.", param="size")
        self.forget_old()
        mine = sum(one.owner == owner for one in self._open())
        if mine >= _MAX_OPEN or len(self._open()) >= _MAX_OPEN_OF_ALL:
            raise QueueFull("Other files are being imported; try again when they are done.", retry_after=10)
        upload = ChatUpload(owner, size)
        self._uploads[upload.id] = upload
        return upload

    def get(self, pk: UUID, owner: str) -> ChatUpload:
        """The upload; raises NotFound."""
        upload = self._uploads.get(pk)
        if upload is None or upload.owner != owner:
            raise NotFound("There is no such upload; it may have taken too long.")
        upload.touched_at = time.monotonic()
        return upload

    def close(self, upload: ChatUpload) -> None:
        upload.close()
        if not upload.is_busy:
            self._uploads.pop(upload.id, None)

    def _open(self) -> list[ChatUpload]:
        return [one for one in self._uploads.values() if one.job is None or one.is_busy]

    def forget_old(self) -> None:
        """Delete what nobody has asked about for KEPT_S."""
        before = time.monotonic() - KEPT_S
        for upload in list(self._uploads.values()):
            if upload.touched_at < before and not upload.is_busy:
                self.close(upload)


UPLOADS = ChatUploads()
