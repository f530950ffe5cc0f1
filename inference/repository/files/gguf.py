"""GGUF headers, read and checked byte by byte before anything is taken from the file.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Readers of it have been broken by
crafted files time and again (CVE-2026-7482, CVE-2025-62609), so every count and offset is checked against
the file's size.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from inference.repository.files.gguf_types import BLOCKS, OTHER_TYPES, BlockLayout

_MAX_ENTRIES = 65_536  # of metadata, and of tensors
_MAX_NAME = 256
_MAX_TEXT = 16 * 2**20
_MAX_ITEMS = 4_000_000  # of all arrays together: the largest vocabularies and their merges are below one
_MAX_DIMENSIONS = 4
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_UINT32, _TEXT, _ARRAY = 4, 8, 9


class ImportRefused(Exception):
    """The file cannot be imported; the message says why."""


@dataclass(frozen=True)
class StoredTensor:
    """One tensor as the header describes it: its shape has the rows first, as everywhere but in GGUF."""

    name: str
    kind: int
    shape: tuple[int, ...]
    begin: int  # counted from the beginning of the file

    @property
    def block(self) -> BlockLayout:
        return BLOCKS[self.kind]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) // self.block.items * self.block.bytes


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF file says of itself; `metadata` is empty unless it was requested."""

    architecture: str
    metadata: Mapping[str, Any]
    tensors: tuple[StoredTensor, ...]


def read_header(source: Path, *, metadata: bool = False) -> GgufHeader:
    """Read the whole header of a file; ImportRefused unless all of it is sound and of known types."""
    if not source.is_file():  # opening a pipe would wait for ever
        raise ImportRefused(f"{source.name} is not a file.")
    try:
        with source.open("rb") as stream:
            return _Parser(stream, source.stat().st_size, keeps=metadata).header()
    except (UnicodeDecodeError, struct.error):
        raise ImportRefused(f"{source.name} is cut off or damaged.") from None
    except OSError as error:
        raise ImportRefused(f"{source.name} cannot be read: {error.strerror}.") from error


class _Parser:
    """One pass over a header, trusting nothing it reads."""

    def __init__(self, stream: BufferedReader, size: int, *, keeps: bool) -> None:
        self._stream = stream
        self._size = size
        self._keeps = keeps
        self._items = 0

    def header(self) -> GgufHeader:
        magic, version, tensors, entries = self._unpack("4sIQQ")
        if magic != b"GGUF":
            raise ImportRefused("This is not a GGUF file.")
        if version not in {2, 3}:
            raise ImportRefused(f"This is GGUF version {version}; versions 2 and 3 are supported.")
        self._bound(max(tensors, entries), _MAX_ENTRIES)
        kept, architecture, alignment = self._metadata(entries)
        names: set[str] = set()
        described = [self._tensor(names, alignment) for _ in range(tensors)]
        data = -(-self._stream.tell() // alignment) * alignment
        if not described or data + max(end for _, end in described) > self._size:
            raise ImportRefused("The file is cut off: its header promises more than it holds.")
        found = [StoredTensor(t.name, t.kind, t.shape, data + t.begin) for t, _ in described]
        return GgufHeader(architecture, kept, tuple(found))

    def _metadata(self, entries: int) -> tuple[dict[str, Any], str, int]:
        """What is to be kept, the architecture and the alignment."""
        kept: dict[str, Any] = {}
        architecture, alignment = "unknown", 32
        names: set[str] = set()
        for _ in range(entries):
            name = self._new_name(names)
            (kind,) = self._unpack("I")
            value = self._value(kind)
            if self._keeps:
                kept[name] = value
            # Each part has a header of its own, and none of them a whole model's.
            if name == "split.count" and isinstance(value, int) and value > 1:
                raise ImportRefused(
                    "This is a part of a split file; join them with `llama-gguf-split --merge` and import "
                    "the result."
                )
            if name == "general.architecture" and kind == _TEXT:
                architecture = value
            if name == "general.alignment":
                # Another integer type would be read by us and passed over by others, or the other way about.
                if kind != _UINT32 or not 8 <= value <= 65536 or value & (value - 1):
                    raise ImportRefused("The file's alignment is not valid.")
                alignment = value
        return kept, architecture, alignment

    def _tensor(self, names: set[str], alignment: int) -> tuple[StoredTensor, int]:
        """A tensor and where its bytes end, both counted from the beginning of the data."""
        name = self._new_name(names)
        (dimensions,) = self._unpack("I")
        self._bound(dimensions, _MAX_DIMENSIONS)
        shape = self._unpack(f"{dimensions}Q")
        kind, offset = self._unpack("IQ")
        if kind not in BLOCKS:
            raise ImportRefused(
                f"{name[:60]} is stored as {OTHER_TYPES.get(kind, f'type {kind}')}; "
                f"{', '.join(block.name for block in BLOCKS.values())} are supported."
            )
        block = BLOCKS[kind]
        if not shape or 0 in shape or shape[0] % block.items:
            raise ImportRefused(f"The shape of {name[:60]} does not fit its type.")
        if offset % alignment:
            raise ImportRefused(f"The place of {name[:60]} in the file is not valid.")
        end = int(offset + math.prod(shape) // block.items * block.bytes)
        return StoredTensor(name, kind, shape[::-1], offset), end

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
            return self._array()
        if kind not in _SCALARS:
            raise ImportRefused("The file's metadata is damaged.")
        return self._unpack(_SCALARS[kind])[0]

    def _array(self) -> Any:
        """An array of numbers or a list of texts; passed over when nothing is to be kept."""
        kind, length = self._unpack("IQ")
        self._items += length
        self._bound(self._items, _MAX_ITEMS)
        if kind in _SCALARS:
            size = length * struct.calcsize(f"<{_SCALARS[kind]}")
            if self._keeps:
                return np.frombuffer(self._take(size), np.dtype(_SCALARS[kind]).newbyteorder("<"))
            return self._skip(size)
        if kind != _TEXT:
            raise ImportRefused("The file's metadata is nested, which this import does not read.")
        if self._keeps:
            return [self._text(_MAX_TEXT) for _ in range(length)]
        for _ in range(length):
            self._skip(*self._unpack("Q"))
        return None

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
