"""Decodes pictures by a process of its own (decoding_process.py), and by another one where that one ends."""

import logging
import subprocess
from threading import Timer
from typing import BinaryIO, cast

import msgspec
from PIL import Image

from inference.core.image_errors import ImageParseError
from inference.core.picture_header import UNREADABLE
from inference.core.requests import Picture
from inference.worker import pipe_frames
from inference.worker.helper_process import HelperProcess
from inference.worker.vision.decoding_process import MAX_CPU_S, Decoded

logger = logging.getLogger(__name__)
_TIMEOUT_S = 4.0 * MAX_CPU_S  # the machine may be busy
_PROGRAM = "inference.worker.vision.decoding_process"


class PictureDecoder:
    """Decodes one picture at a time; for one thread. The process starts with the first picture."""

    def __init__(self) -> None:
        self._process = HelperProcess(_PROGRAM)

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid

    def decode(self, picture: Picture, param: str) -> Image.Image:
        """The picture's pixels, mode RGB; raises ImageParseError with `param` for one that cannot be read.

        Raises Unavailable or InternalError where the process does not start.
        """
        process = self._process.ready()
        timer = Timer(_TIMEOUT_S, process.kill)
        timer.daemon = True
        timer.start()
        try:
            answer, pixels = _exchange(process, picture)
        finally:
            timer.cancel()
        if answer is None:
            self.close()
            logger.warning("The process that decodes pictures ended at one of %d bytes", len(picture.data))
            raise ImageParseError(
                f"{UNREADABLE}: decoding it takes too much time or memory, or the file is damaged. Save it "
                "again as PNG or JPEG.",
                param=param,
            )
        if answer.problem:
            raise ImageParseError(answer.problem, param=param)
        return Image.frombytes("RGB", (answer.width, answer.height), pixels)

    def close(self) -> None:
        """End the process, if there is one."""
        self._process.close()


def _exchange(process: "subprocess.Popen[bytes]", picture: Picture) -> tuple[Decoded | None, bytes]:
    """What the process says of a picture, and its pixels; None where the process ended."""
    source, target = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
    try:
        pipe_frames.write(target, msgspec.msgpack.encode(picture))
        content = pipe_frames.read(source)
        if not content:
            return None, b""
        answer = msgspec.msgpack.decode(content, type=Decoded)
        pixels = b"" if answer.problem else pipe_frames.read(source)
    except OSError:
        return None, b""
    return (answer if answer.problem or pixels else None), pixels
