"""Safetensors headers, read and checked by ourselves before any library maps the file.

The format is https://huggingface.co/docs/safetensors: eight bytes of header length, a JSON header with the
type, shape and byte range of each tensor, then the bytes. MLX's maintainers count loading a file as running
it (https://github.com/ml-explore/mlx/issues/4233), so a file that lies about its ranges stops here.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER_BYTES = 32 * 2**20  # 200 000 tensors; parsing takes some ten times as much memory
_MAX_DIMENSIONS = 16
_MAX_NUMBER = 2**53
_ITEM_BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8},
    **{"U16": 16, "I16": 16, "F16": 16, "BF16": 16},
    **{"U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64},
}
Described = tuple[str, str, tuple[int, ...], int, int]  # name, type, shape, begin, end


class BrokenWeights(Exception):
    """The weights cannot be what they claim; the message is in words for the model's owner."""


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


def read_tensors(folder: Path) -> list[Tensor]:
    """Every tensor of a model folder, from its headers alone; BrokenWeights when any of it cannot be."""
    return [tensor for file in weight_files(folder) for tensor in _read_header(file)]


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model's tensors; BrokenWeights when there is none or one is missing."""
    files = sorted(folder.glob("model*.safetensors"))
    if not all(file.is_file() for file in files):  # opening a pipe would wait for ever
        raise BrokenWeights("one of its model*.safetensors is no file")
    _check_shards(folder, {file.name for file in files})
    return files


def _check_shards(folder: Path, found: set[str]) -> None:
    if not found:
        raise BrokenWeights("it has no model*.safetensors file")
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    if index.stat().st_size > _MAX_HEADER_BYTES:
        raise BrokenWeights("its model.safetensors.index.json is too large")
    try:
        named = set(json.loads(index.read_text())["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise BrokenWeights("its model.safetensors.index.json cannot be read") from None
    if missing := sorted(map(str, named - found)):
        raise BrokenWeights(f"{len(missing)} of its weight files are missing, such as {missing[0][:80]}")


def _read_header(file: Path) -> list[Tensor]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length <= min(size - 8, _MAX_HEADER_BYTES):
            raise BrokenWeights(f"{file.name} is cut off or no safetensors file")
        header = stream.read(length)
    try:
        described = json.loads(header)
        tensors = [_described(name, entry) for name, entry in described.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BrokenWeights(f"the header of {file.name} cannot be read") from None
    _check_ranges(file.name, tensors, size - 8 - length)
    return [Tensor(name, dtype, shape, end - begin) for name, dtype, shape, begin, end in tensors]


def _check_ranges(file: str, tensors: list[Described], size: int) -> None:
    """Every tensor lies inside the file, is as long as its shape says, and shares no byte with another."""
    free_from = 0
    for _, dtype, shape, begin, end in sorted(tensors, key=lambda tensor: tensor[3:]):
        if dtype not in _ITEM_BITS:
            raise BrokenWeights(f"{file} holds {dtype[:20]} numbers, which this server cannot read")
        is_whole = math.prod(shape) * _ITEM_BITS[dtype] == (end - begin) * 8
        if not (free_from <= begin <= end <= size and is_whole):
            raise BrokenWeights(f"{file} is cut off or its header lies about its size")
        free_from = end


def _described(name: str, entry: Any) -> Described:
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if len(shape) > _MAX_DIMENSIONS:
        raise ValueError("no array has so many dimensions")
    if not all(type(number) is int and 0 <= number < _MAX_NUMBER for number in (*shape, begin, end)):
        raise ValueError("sizes are whole numbers")
    return name, str(entry["dtype"]), shape, begin, end
