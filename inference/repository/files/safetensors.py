"""Safetensors headers, read and checked by ourselves before any library maps the file.

The format is https://huggingface.co/docs/safetensors: eight bytes of header length, a JSON header with the
type, shape and byte range of each tensor, then the bytes. MLX's maintainers count loading a file as running
it (https://github.com/ml-explore/mlx/issues/4233), so a file with wrong ranges is refused here. The site
never maps a file: one that another program shortens meanwhile would end it with SIGBUS.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from inference.repository.files import json_files

# The largest published models have some 200,000 tensors (one for each expert) in a hundred files and more;
# a tensor takes about 150 bytes of its file's header. One file of 16 MB or 65,536 tensors is far beyond
# any of them, and takes a parser, which holds Python's lock meanwhile, a tenth of a second at most.
_MOST_TENSORS = 2**16  # of one file
_MOST_HEADER_BYTES = 16 * 2**20
_MOST_HEADER_BYTES_OF_ALL = 64 * 2**20
_MOST_NAMED = 2**19  # tensors in an index
_MOST_ENTRY_BYTES = 4096
_COLONS = 4  # of each tensor: after its name, and in its entry
_SPARE_COLONS = 2**16  # of __metadata__
_MOST_DIMENSIONS = 16
_ITEM_BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8},
    **{"U16": 16, "I16": 16, "F16": 16, "BF16": 16},
    **{"U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64},
}
_Number = Annotated[int, Meta(ge=0, lt=2**53)]


class BrokenWeights(Exception):
    """The weights cannot be what they claim; the message is for the model's owner."""


@dataclass(frozen=True)
class Tensor:
    """One tensor as its header describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int

    @property
    def items(self) -> int:
        return math.prod(self.shape)


class _Entry(msgspec.Struct, gc=False):
    """A header's entry of one tensor."""

    dtype: str
    shape: Annotated[tuple[_Number, ...], Meta(max_length=_MOST_DIMENSIONS)]
    data_offsets: tuple[_Number, _Number]


class _Index(msgspec.Struct):
    weight_map: dict[str, Any]  # the file of each tensor


_decode_entry = msgspec.json.Decoder(_Entry).decode
_decode_header = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_index = msgspec.json.Decoder(_Index).decode


def read_tensors(folder: Path) -> list[Tensor]:
    """Every tensor of a model folder, from its headers alone; BrokenWeights when any of it cannot be."""
    tensors: list[Tensor] = []
    left = _MOST_HEADER_BYTES_OF_ALL
    for file in weight_files(folder):
        header, size = _header_of(file)
        if (left := left - len(header)) < 0:
            raise BrokenWeights("its weight files describe more tensors than any model has")
        tensors += described(file.name, header, size)
    return tensors


def read_file(file: Path) -> list[Tensor]:
    """Every tensor of one file, from its header alone; BrokenWeights when any of it cannot be."""
    return list(described(file.name, *_header_of(file)))


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model's tensors; BrokenWeights when there is none or one is missing."""
    files = sorted(folder.glob("model*.safetensors"))
    if not all(file.is_file() for file in files):  # opening a pipe would wait for ever
        raise BrokenWeights("one of its model*.safetensors is not a file")
    _check_shards(folder, {file.name for file in files})
    return files


def _check_shards(folder: Path, found: set[str]) -> None:
    if not found:
        raise BrokenWeights("it has no model*.safetensors file")
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    if index.stat().st_size > json_files.MOST_BYTES[index.name]:
        raise BrokenWeights(f"its {index.name} is too large")
    raw = index.read_bytes()
    if raw.count(b":") > _MOST_NAMED + _SPARE_COLONS:
        raise BrokenWeights(f"its {index.name} names more tensors than any model has")
    try:
        named = set(_decode_index(raw).weight_map.values())
    except (msgspec.DecodeError, TypeError, RecursionError):
        raise BrokenWeights(f"its {index.name} cannot be read") from None
    if missing := sorted(map(str, named - found)):
        raise BrokenWeights(f"{len(missing)} of its weight files are missing, such as {missing[0][:80]}")


def _header_of(file: Path) -> tuple[bytes, int]:
    """A file's header, unparsed and not too large to be parsed, and how many bytes come after it."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = header_length(file.name, stream.read(8), size)
        header = stream.read(length)
    check_header(file.name, header)
    return header, size - 8 - length


def header_length(name: str, first: bytes, size: int) -> int:
    """The length of a header from the first eight of a file's `size` bytes; raises BrokenWeights."""
    length = int.from_bytes(first, "little")
    if not 0 < length <= size - 8:
        raise BrokenWeights(f"{name} is cut off or not a safetensors file")
    if length > _MOST_HEADER_BYTES:
        raise BrokenWeights(f"the header of {name} has {length / 10**6:,.0f} MB, and no model's has so many")
    return length


def check_header(name: str, header: bytes) -> None:
    """Raise BrokenWeights for a header that would take long to parse."""
    # Counted and not parsed: whatever the text is, it cannot name more tensors than it has colons.
    if header.count(b":") > _COLONS * _MOST_TENSORS + _SPARE_COLONS:
        raise BrokenWeights(f"the header of {name} describes more tensors than any model's does")


def described(file: str, header: bytes, size: int) -> Iterator[Tensor]:
    """The tensors of one file, checked; one at a time, so that other threads get their turn.

    `size` is of what comes after the header. Raises BrokenWeights.
    """
    try:
        entries = {
            name: _entry(raw) for name, raw in _decode_header(header).items() if name != "__metadata__"
        }
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BrokenWeights(f"the header of {file} cannot be read") from None
    _check_ranges(file, entries, size)
    for name, entry in entries.items():
        begin, end = entry.data_offsets
        yield Tensor(name, entry.dtype, entry.shape, end - begin)


def _entry(raw: Raw) -> _Entry:
    if len(memoryview(raw)) > _MOST_ENTRY_BYTES:
        raise ValueError("no tensor needs so long an entry")
    return _decode_entry(raw)


def _check_ranges(file: str, entries: dict[str, _Entry], size: int) -> None:
    """Every tensor lies inside the file, is as long as its shape says, and shares no byte with another."""
    free_from = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.data_offsets):
        begin, end = entry.data_offsets
        if entry.dtype not in _ITEM_BITS:
            raise BrokenWeights(f"{file} holds {entry.dtype[:20]} numbers, which this server cannot read")
        is_whole = math.prod(entry.shape) * _ITEM_BITS[entry.dtype] == (end - begin) * 8
        if not (free_from <= begin <= end <= size and is_whole):
            raise BrokenWeights(f"{file} is cut off, or its header has a wrong size")
        free_from = end
