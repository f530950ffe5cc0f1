"""Decodes pictures in a process of its own: `python -m inference.worker.vision.decoding_process`.

Pictures come from anywhere, and the C libraries that decode them may crash, loop or fill the memory: then
this process ends, and not the model beside it. It writes `READY`, then reads a picture (frames of
pipe_frames.py) from standard input and answers on standard output with the size and the pixels, or with the
problem, until its input ends.
"""

import os
import resource
import signal
from contextlib import suppress

import msgspec

from inference.core.requests import Picture
from inference.worker import pipe_frames
from inference.worker.vision import picture_reader
from inference.worker.vision.picture_reader import UnreadablePicture

# Of address space: Python and its libraries, and what decoding a picture takes for each of its pixels.
_LEAST_MEMORY, _BYTES_PER_PIXEL = 2**30, 24
MAX_CPU_S = 30  # for one picture


class Decoded(msgspec.Struct, frozen=True, array_like=True):
    """The size of a picture whose pixels follow in the next frame, or why it cannot be read."""

    width: int = 0
    height: int = 0
    problem: str = ""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; its input ends then
    # Whatever a library prints must not come between the frames.
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pipe_frames.answer(target, pipe_frames.READY)
    while content := pipe_frames.read(source):
        picture = msgspec.msgpack.decode(content, type=Picture)
        _limit(picture.width * picture.height)
        try:
            image = picture_reader.read(picture)
        except UnreadablePicture as problem:
            pipe_frames.answer(target, msgspec.msgpack.encode(Decoded(problem=str(problem))))
            continue
        size = msgspec.msgpack.encode(Decoded(image.width, image.height))
        pipe_frames.answer(target, size, image.tobytes())


def _limit(pixels: int) -> None:
    """Allow what a picture of so many pixels may take."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime) + MAX_CPU_S
    memory = _LEAST_MEMORY + pixels * _BYTES_PER_PIXEL
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, cpu_s)):
        with suppress(ValueError, OSError):  # macOS has no limit of address space
            resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))


if __name__ == "__main__":
    main()
