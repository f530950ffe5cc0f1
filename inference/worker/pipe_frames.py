"""Frames on the pipes of a process: four bytes with the length, big-endian, and so many bytes."""

import os
import struct
import subprocess
from contextlib import suppress
from typing import BinaryIO, Final, cast

READY: Final = b"ready"  # of a helper process (helper_process.py) whose imports are done
_LENGTH = struct.Struct(">I")


def write(pipe: BinaryIO, content: bytes) -> None:
    """Write and flush one frame; raises OSError where nobody reads."""
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def answer(pipe: BinaryIO, *frames: bytes) -> None:
    """Write frames, or end this process without a traceback if the worker that started it has ended."""
    try:
        for frame in frames:
            write(pipe, frame)
    except BrokenPipeError:
        os._exit(0)


def read(pipe: BinaryIO) -> bytes:
    """The next frame; empty where the pipe ends, also in the middle of one."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return b""
    (length,) = _LENGTH.unpack(header)
    content = pipe.read(length)
    return content if len(content) == length else b""


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that is spoken with through its pipes, close them, and wait for its end."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not written yet
            cast("BinaryIO", pipe).close()
    process.wait()
