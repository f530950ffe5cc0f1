"""Writes the weights of a GGUF file as one safetensors file, slab by slab, in little memory."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.core import disk_space
from inference.repository.files.gguf import StoredTensor
from inference.worker.conversion.blocks import GROUP_SIZE, bits_of, is_packed, pack, read_groups

_SLAB_WEIGHTS = 2**24  # weights in memory at once: some hundred megabytes
_ITEM_BYTES = {"U32": 4, "F32": 4, "F16": 2, "BF16": 2}


class Array(NamedTuple):
    """One array of the safetensors file."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]


@dataclass(frozen=True, kw_only=True)
class TensorMove:
    """How one stored tensor is converted: its name in MLX, the order of its rows, the type of its numbers.

    A model's plain numbers and scales all have one type: with two, MLX computes in the wider one and converts
    every scale at every step.
    """

    stored: StoredTensor
    name: str
    floats: str
    order: NDArray[np.intp] | None = None
    offset: float = 0.0  # subtracted from every number

    @property
    def bits(self) -> int:
        """The bits of a quantised tensor's codes; 0 for plain numbers."""
        return bits_of(self.stored.block.name) if is_packed(self.stored.block.name) else 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        shape = self.stored.shape
        if not self.bits:
            return (Array(self.name, self.floats, shape),)
        if len(shape) != 2 or self.offset:
            raise ValueError(
                f"its {self.stored.name} is stored as {self.stored.block.name}, which no such part is"
            )
        rows, columns = shape
        layer, groups = self.name.removesuffix(".weight"), (rows, columns // GROUP_SIZE)
        words = Array(self.name, "U32", (rows, columns * self.bits // 32))
        scales, biases = (Array(f"{layer}.{part}", self.floats, groups) for part in ("scales", "biases"))
        return words, scales, biases

    def slabs(self, source: Path) -> Iterator[tuple[NDArray[Any], ...]]:
        """The contents of each of its arrays, some rows at a time."""
        rows, columns = self.stored.shape[0], math.prod(self.stored.shape[1:])
        block = self.stored.block
        stored = np.memmap(
            source, np.uint8, "r", self.stored.begin, shape=(rows, columns // block.items * block.bytes)
        )
        step = max(1, _SLAB_WEIGHTS // columns)
        for start in range(0, rows, step):
            part = slice(start, start + step) if self.order is None else self.order[start : start + step]
            yield self._converted(np.ascontiguousarray(stored[part]))

    def _converted(self, rows: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        kind = self.stored.block.name
        if self.bits:
            groups = read_groups(kind, rows)
            scales = [_as(part.astype(np.float32), self.floats) for part in groups[1:]]
            return pack(groups.codes, self.bits), *scales
        if kind == self.floats and not self.offset:
            return (rows,)
        return (_as(_plain(rows, kind) - np.float32(self.offset), self.floats),)


def quantisation(moves: Sequence[TensorMove]) -> dict[str, Any]:
    """The entry of config.json for quantised layers; empty if there are none."""
    bits = {move.name.removesuffix(".weight"): move.bits for move in moves if move.bits}
    if not bits:
        return {}
    usual = max(set(bits.values()), key=list(bits.values()).count)
    own = {layer: {"group_size": GROUP_SIZE, "bits": b} for layer, b in bits.items() if b != usual}
    return {"quantization": {"group_size": GROUP_SIZE, "bits": usual, **own}}


def write_weights(
    source: Path,
    target: Path,
    moves: Sequence[TensorMove],
    on_bytes: Callable[[int, int], None] = lambda done, size: None,
) -> None:
    """Write all of a model's weights; the header, with the position of each array, comes first.

    `on_bytes` is called with the bytes that are written, and those in all. Raises ValueError if the disk is
    too small or becomes full.
    """
    # Wider numbers first, so that each array is aligned.
    arrays = sorted((array for move in moves for array in move.arrays), key=lambda a: -_ITEM_BYTES[a.dtype])
    offsets: dict[str, int] = {}
    end = 0
    for array in arrays:
        offsets[array.name] = end
        end += array.bytes
    if shortage := disk_space.shortage(target, end):
        raise ValueError(f"it {shortage}")
    done = 0
    with target.open("wb") as stream:
        header = _header(arrays, offsets)
        stream.write(header)
        on_bytes(done, end)
        for move in moves:
            if disk_space.is_full(target):
                raise ValueError("the disk has become full; make room, then import it again")
            at = [len(header) + offsets[array.name] for array in move.arrays]
            for slab in move.slabs(source):
                for i, part in enumerate(slab):
                    stream.seek(at[i])
                    stream.write(np.ascontiguousarray(part).data)
                    at[i] += part.nbytes
                done += sum(part.nbytes for part in slab)
                on_bytes(done, end)


def _header(arrays: Sequence[Array], offsets: dict[str, int]) -> bytes:
    described: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
    for array in arrays:
        begin = offsets[array.name]
        eos_ids = [begin, begin + array.bytes]
        described[array.name] = {"dtype": array.dtype, "shape": array.shape, "data_offsets": eos_ids}
    text = json.dumps(described).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _plain(rows: NDArray[np.uint8], kind: str) -> NDArray[np.float32]:
    if kind == "BF16":
        return (rows.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return rows.view("<f2" if kind == "F16" else "<f4").astype(np.float32)


def _as(numbers: NDArray[np.float32], kind: str) -> NDArray[Any]:
    if kind == "F32":
        return numbers
    if kind == "F16":
        return numbers.astype(np.float16)
    bits = numbers.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)  # to the nearest, ties to even
