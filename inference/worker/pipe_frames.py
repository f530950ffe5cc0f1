"""Frames on a pipe: four bytes with the length, big-endian, and so many bytes."""

import struct
from typing import BinaryIO

_LENGTH = struct.Struct(">I")


def write(pipe: BinaryIO, content: bytes) -> None:
    """Write and flush one frame; raises OSError where nobody reads."""
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def read(pipe: BinaryIO) -> bytes:
    """The next frame; empty where the pipe ends, also in the middle of one."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return b""
    (length,) = _LENGTH.unpack(header)
    content = pipe.read(length)
    return content if len(content) == length else b""
