"""GGUF files: checked here byte by byte, converted in a process of their own, served as safetensors.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Readers of it have been broken by
crafted files time and again (CVE-2026-7482, CVE-2025-62609), so every count and offset is checked against
the file's size before MLX sees it.
"""

import math
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from inference.sources.staging import staged

_MAX_ENTRIES = 65_536  # of metadata, and of tensors
_MAX_NAME = 256
_MAX_TEXT = 16 * 2**20
_MAX_ITEMS = 4_000_000  # of all arrays together: the largest vocabularies and their merges are below one
_MAX_DIMENSIONS = 4
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_UINT32, _TEXT, _ARRAY = 4, 8, 9
_ARCHITECTURES = ("llama",)
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 8: (32, 34)}  # items and bytes of a block
_OTHER_TYPES = {
    **{6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K"},
    **{15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S"},
    **{22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M"},
    **{30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4"},
}


class ImportRefused(Exception):
    """The file cannot be imported; the message says why, to whoever wanted it."""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself."""

    architecture: str
    tensors: int


def import_gguf(source: Path, target: Path) -> None:
    """Make the model folder `target` of a GGUF file; ImportRefused, and no target, when that cannot be."""
    check(source)
    try:
        with staged(target) as draft:
            _convert(source, draft)
    except FileExistsError:
        raise ImportRefused(f"There is a model named {target.name} already.") from None
    except BlockingIOError:
        raise ImportRefused(f"{target.name} is being imported already.") from None
    except OSError as error:
        raise ImportRefused(f"{target.name} cannot be written: {error.strerror}.") from error


def check(source: Path) -> Header:
    """Read the whole header of a file; ImportRefused unless all of it is sound and supported."""
    if not source.is_file():  # opening a pipe would wait for ever
        raise ImportRefused(f"{source.name} is no file.")
    try:
        with source.open("rb") as stream:
            return _Parser(stream, source.stat().st_size).header()
    except (UnicodeDecodeError, struct.error):
        raise ImportRefused(f"{source.name} is cut off or damaged.") from None
    except OSError as error:
        raise ImportRefused(f"{source.name} cannot be read: {error.strerror}.") from error


def _convert(source: Path, draft: Path) -> None:
    command = [sys.executable, "-m", "inference.worker.conversion", str(source), str(draft)]
    # The conversion ends itself when its standard input does: when this process is gone, however it went.
    leash, end = os.pipe()
    try:
        done = subprocess.run(command, stdin=leash, capture_output=True, text=True, check=False)
    finally:
        os.close(leash)
        os.close(end)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"the conversion ended with status {done.returncode}"]
        raise ImportRefused(f"{source.name} cannot be converted: {said[-1][:300]}")


class _Parser:
    """One pass over a header, trusting nothing it reads."""

    def __init__(self, stream: BufferedReader, size: int) -> None:
        self._stream = stream
        self._size = size
        self._items = 0

    def header(self) -> Header:
        magic, version, tensors, entries = self._unpack("4sIQQ")
        if magic != b"GGUF":
            raise ImportRefused("This is not a GGUF file.")
        if version not in {2, 3}:
            raise ImportRefused(f"This is GGUF version {version}; versions 2 and 3 are supported.")
        self._bound(max(tensors, entries), _MAX_ENTRIES)
        architecture, alignment = self._metadata(entries)
        if architecture not in _ARCHITECTURES:
            raise ImportRefused(
                f"Models of the architecture {architecture[:40]!r} cannot be imported; "
                f"{', '.join(_ARCHITECTURES)} can."
            )
        names: set[str] = set()
        ends = [self._tensor_end(names, alignment) for _ in range(tensors)]
        begin = -(-self._stream.tell() // alignment) * alignment
        if not ends or begin + max(ends) > self._size:
            raise ImportRefused("The file is cut off: its header promises more than it holds.")
        return Header(architecture, tensors)

    def _metadata(self, entries: int) -> tuple[str, int]:
        """The architecture and the alignment; whatever else there is, is passed over."""
        architecture, alignment = "unknown", 32
        names: set[str] = set()
        for _ in range(entries):
            name = self._new_name(names)
            (kind,) = self._unpack("I")
            value = self._value(kind)
            if name == "general.architecture" and kind == _TEXT:
                architecture = value
            if name == "general.alignment":
                # Another integer type would be read by us and passed over by MLX, or the other way about.
                if kind != _UINT32 or not 8 <= value <= 65536 or value & (value - 1):
                    raise ImportRefused("The file's alignment makes no sense.")
                alignment = value
        return architecture, alignment

    def _tensor_end(self, names: set[str], alignment: int) -> int:
        """Where a tensor's bytes end, counted from the beginning of the data."""
        name = self._new_name(names)
        (dimensions,) = self._unpack("I")
        self._bound(dimensions, _MAX_DIMENSIONS)
        shape = self._unpack(f"{dimensions}Q")
        kind, offset = self._unpack("IQ")
        if kind not in _BLOCKS:
            raise ImportRefused(
                f"{name[:60]} is stored as {_OTHER_TYPES.get(kind, f'type {kind}')}; F32, F16, Q4_0, Q4_1 "
                "and Q8_0 are supported."
            )
        per_block, block_bytes = _BLOCKS[kind]
        if not shape or 0 in shape or shape[0] % per_block:
            raise ImportRefused(f"The shape of {name[:60]} does not fit its type.")
        if offset % alignment:
            raise ImportRefused(f"The place of {name[:60]} in the file makes no sense.")
        return int(offset + math.prod(shape) // per_block * block_bytes)

    def _new_name(self, names: set[str]) -> str:
        name = self._text(_MAX_NAME)
        if name in names:
            raise ImportRefused(f"The file names {name[:60]} twice.")
        names.add(name)
        return name

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text(_MAX_TEXT)
        if kind == _ARRAY:
            return self._skip_array()
        if kind not in _SCALARS:
            raise ImportRefused("The file's metadata is damaged.")
        return self._unpack(_SCALARS[kind])[0]

    def _skip_array(self) -> None:
        kind, length = self._unpack("IQ")
        self._items += length
        self._bound(self._items, _MAX_ITEMS)
        if kind in _SCALARS:
            self._skip(length * struct.calcsize(f"<{_SCALARS[kind]}"))
            return
        if kind != _TEXT:
            raise ImportRefused("The file's metadata is nested, which this import does not read.")
        for _ in range(length):
            self._skip(*self._unpack("Q"))

    def _text(self, limit: int) -> str:
        (length,) = self._unpack("Q")
        self._bound(length, limit)
        return self._take(length).decode()

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        form = struct.Struct(f"<{layout}")
        return form.unpack(self._take(form.size))

    def _skip(self, count: int) -> None:
        self._left(count)
        self._stream.seek(count, 1)

    def _take(self, count: int) -> bytes:
        self._left(count)
        return self._stream.read(count)

    def _left(self, count: int) -> None:
        if count > self._size - self._stream.tell():
            raise ImportRefused("The file is cut off: its header promises more than it holds.")

    @staticmethod
    def _bound(count: int, limit: int) -> None:
        if count > limit:
            raise ImportRefused("The file's header is damaged: it counts more than it can hold.")
