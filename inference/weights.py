"""Safetensors headers, read and checked by ourselves before any library maps the file.

The format is https://huggingface.co/docs/safetensors: eight bytes of header length, a JSON header with the
type, shape and byte range of each tensor, then the bytes. MLX's maintainers count loading a file as running
it (https://github.com/ml-explore/mlx/issues/4233), so a file that lies about its ranges stops here.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER_BYTES = 100 * 2**20
_ITEM_BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8},
    **{"U16": 16, "I16": 16, "F16": 16, "BF16": 16},
    **{"U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64},
}


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
    files = sorted(folder.glob("model*.safetensors"))
    _check_shards(folder, {file.name for file in files})
    return [tensor for file in files for tensor in _read_header(file)]


def _check_shards(folder: Path, found: set[str]) -> None:
    if not found:
        raise BrokenWeights("it has no model*.safetensors file")
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return
    try:
        named = set(json.loads(index.read_text())["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        raise BrokenWeights("its model.safetensors.index.json cannot be read") from None
    if missing := sorted(map(str, named - found)):
        raise BrokenWeights(f"{len(missing)} of its weight files are missing, such as {missing[0][:80]}")


def _read_header(file: Path) -> Iterator[Tensor]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length <= min(size - 8, _MAX_HEADER_BYTES):
            raise BrokenWeights(f"{file.name} is cut off or no safetensors file")
        header = stream.read(length)
    try:
        described = json.loads(header)
        tensors = [(name, *_described(entry)) for name, entry in described.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BrokenWeights(f"the header of {file.name} cannot be read") from None
    for name, dtype, shape, begin, end in tensors:
        tensor = Tensor(name, dtype, shape, end - begin)
        if not (0 <= begin <= end <= size - 8 - length) or not _adds_up(tensor):
            raise BrokenWeights(f"{file.name} is cut off or its header lies about its size")
        yield tensor


def _described(entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError("sizes are whole numbers")
    return str(entry["dtype"]), shape, begin, end


def _adds_up(tensor: Tensor) -> bool:
    bits = _ITEM_BITS.get(tensor.dtype)
    return bits is None or tensor.items * bits == tensor.bytes * 8
