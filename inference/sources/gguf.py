"""GGUF files: checked here byte by byte, converted in a process of their own, served as safetensors.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Readers of it have been broken by
crafted files time and again (CVE-2026-7482, CVE-2025-62609), so every count and offset is checked against
the file's size before MLX sees it.
"""

import struct
import subprocess
import sys
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from inference.sources.staging import staged

_MAX_ENTRIES = 1_000_000
_MAX_TEXT = 16 * 2**20
_MAX_DIMENSIONS = 4
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_ARCHITECTURES = ("llama",)
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 8: (32, 34)}  # type: items and bytes of a block
_OTHER_TYPES = {
    **{6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K"},
    **{15: "Q8_K", 20: "IQ4_NL", 23: "IQ4_XS", 30: "BF16", 39: "MXFP4"},
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


def check(source: Path) -> Header:
    """Read the whole header of a file; ImportRefused unless all of it is sound and supported."""
    size = source.stat().st_size
    with source.open("rb") as stream:
        try:
            return _Parser(stream, size).header()
        except (struct.error, UnicodeDecodeError, OverflowError):
            raise ImportRefused(f"{source.name} is cut off or damaged.") from None


def _convert(source: Path, draft: Path) -> None:
    command = [sys.executable, "-m", "inference.worker.conversion", str(source), str(draft)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [
            f"the conversion ended with status {done.returncode}"
        ]
        raise ImportRefused(f"{source.name} cannot be converted: {reason[0]}")


class _Parser:
    """One pass over a header, trusting nothing it reads."""

    def __init__(self, stream: BufferedReader, size: int) -> None:
        self._stream = stream
        self._size = size

    def header(self) -> Header:
        magic, version, tensors, entries = struct.unpack("<4sIQQ", self._take(24))
        if magic != b"GGUF":
            raise ImportRefused("This is not a GGUF file.")
        if version not in {2, 3}:
            raise ImportRefused(f"This is GGUF version {version}; versions 2 and 3 are supported.")
        self._bound(max(tensors, entries), _MAX_ENTRIES)
        metadata = {self._text(): self._value(self._number()) for _ in range(entries)}
        architecture = str(metadata.get("general.architecture", "unknown"))
        if architecture not in _ARCHITECTURES:
            raise ImportRefused(
                f"Models of the architecture {architecture[:40]!r} cannot be imported; "
                f"{', '.join(_ARCHITECTURES)} can."
            )
        ends = [self._tensor_end() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 1 <= alignment <= 65536:
            raise ImportRefused("The file's alignment makes no sense.")
        begin = -(-self._stream.tell() // alignment) * alignment
        if not ends or begin + max(ends) > self._size:
            raise ImportRefused("The file is cut off: its header promises more than it holds.")
        return Header(architecture, tensors)

    def _tensor_end(self) -> int:
        """Where a tensor's bytes end, counted from the beginning of the data."""
        name = self._text()
        dimensions = self._number()
        self._bound(dimensions, _MAX_DIMENSIONS)
        shape = struct.unpack(f"<{dimensions}Q", self._take(8 * dimensions))
        kind, offset = struct.unpack("<IQ", self._take(12))
        if kind not in _BLOCKS:
            raise ImportRefused(
                f"{name[:60]} is quantised as {_OTHER_TYPES.get(kind, kind)}; F32, F16, Q4_0, Q4_1 and Q8_0 "
                "are supported."
            )
        items = 1
        for length in shape:
            items *= length
        per_block, block_bytes = _BLOCKS[kind]
        if not shape or shape[0] % per_block:
            raise ImportRefused(f"The shape of {name[:60]} does not fit its quantisation.")
        return int(offset + items // per_block * block_bytes)

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind == _ARRAY:
            return self._skip_array()
        if kind not in _SCALARS:
            raise ImportRefused("The file's metadata is damaged.")
        scalar = struct.Struct(f"<{_SCALARS[kind]}")
        return scalar.unpack(self._take(scalar.size))[0]

    def _skip_array(self) -> None:
        kind, length = struct.unpack("<IQ", self._take(12))
        self._bound(length, _MAX_ENTRIES)
        if kind in _SCALARS:
            self._take(length * struct.calcsize(f"<{_SCALARS[kind]}"))
            return
        if kind != _TEXT:
            raise ImportRefused("The file's metadata is nested, which this import does not read.")
        for _ in range(length):
            self._text()

    def _text(self) -> str:
        (length,) = struct.unpack("<Q", self._take(8))
        self._bound(length, _MAX_TEXT)
        return self._take(length).decode()

    def _number(self) -> int:
        (number,) = struct.unpack("<I", self._take(4))
        return int(number)

    def _take(self, count: int) -> bytes:
        return self._stream.read(count)

    @staticmethod
    def _bound(count: int, limit: int) -> None:
        if count > limit:
            raise ImportRefused("The file's header is damaged: it counts more than it can hold.")
