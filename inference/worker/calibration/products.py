"""Products like those of a decode step, timed in the BLAS itself, as MLX calls it."""

import ctypes
import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass

from inference.core.cpu_tuning import ShapeClass

_FLOAT = 4
_ROW_MAJOR, _AS_IS, _TRANSPOSED = 101, 111, 112  # of CBLAS
_CALLS = 4  # in one measurement of a small matrix

# Outputs and inputs of a weight: those of the starter model, but for a third of its vocabulary.
SHAPES: dict[ShapeClass, tuple[int, int]] = {
    ShapeClass.OUTPUT: (16_384, 576),
    ShapeClass.WIDE: (1536, 576),
    ShapeClass.SQUARE: (576, 576),
    ShapeClass.NARROW: (576, 1536),
}
DECODE_ROWS = (1, 8)
PREFILL_ROWS = 64
_WEIGHTS = max(outputs * inputs for outputs, inputs in SHAPES.values())
_INPUTS = PREFILL_ROWS * max(inputs for _, inputs in SHAPES.values())
_RESULTS = max(
    max(DECODE_ROWS) * SHAPES[ShapeClass.OUTPUT][0],
    PREFILL_ROWS * max(outputs for kind, (outputs, _) in SHAPES.items() if kind != ShapeClass.OUTPUT),
)


@dataclass(frozen=True)
class Product:
    """Rows of activations times a weight of this class."""

    shape: ShapeClass
    rows: int
    is_by_row: bool


def products() -> list[Product]:
    """What is measured: the output matrix is never multiplied with the rows of a long prompt."""
    return [
        Product(shape, rows, is_by_row)
        for shape in SHAPES
        for rows in (*DECODE_ROWS, *((PREFILL_ROWS,) * (shape != ShapeClass.OUTPUT)))
        for is_by_row in (False, True)
    ]


class Buffers:
    """The numbers that are multiplied; processes forked from this one share them."""

    def __init__(self) -> None:
        self._memory = [_filled(count) for count in (_WEIGHTS, _INPUTS, _RESULTS)]
        self.weights, self.inputs, self.results = map(ctypes.addressof, self._memory)


class Timer:
    """Times products in a BLAS that this process loads."""

    def __init__(self, path: str, buffers: Buffers) -> None:
        self._library = ctypes.CDLL(path)
        self._buffers = buffers
        self._offset = 0  # in the weights: another matrix each time, so that it is not in a cache

    @property
    def kernels(self) -> str:
        """The kernels in force; empty for a BLAS that does not say."""
        found = self._routine("openblas_get_corename")
        if found is None:
            return ""
        found.restype = ctypes.c_char_p
        return bytes(found()).decode()

    def seconds(self, product: Product, clock: Callable[[], float] = time.perf_counter) -> float:
        """The time of one product by this clock."""
        outputs, inputs = SHAPES[product.shape]
        calls = 1 if product.shape == ShapeClass.OUTPUT else _CALLS
        multiply = self._routine("cblas_sgemm")
        if multiply is None:
            raise OSError("the library has no cblas_sgemm")
        multiply.restype = None
        one, zero = ctypes.c_float(1), ctypes.c_float(0)
        addresses = [ctypes.c_void_p(address) for address in (self._buffers.inputs, self._buffers.results)]
        weights = [ctypes.c_void_p(self._next_weight(outputs * inputs)) for _ in range(calls)]
        layout = (_TRANSPOSED, inputs) if product.is_by_row else (_AS_IS, outputs)
        sizes = (product.rows, outputs, inputs)
        started = clock()
        for weight in weights:
            multiply(
                *(_ROW_MAJOR, _AS_IS, layout[0], *sizes, one, addresses[0], inputs),
                *(weight, layout[1], zero, addresses[1], outputs),
            )
        return (clock() - started) / calls

    def _next_weight(self, size: int) -> int:
        if self._offset + size > _WEIGHTS:
            self._offset = 0
        address = self._buffers.weights + self._offset * _FLOAT
        self._offset += size
        return address

    def _routine(self, name: str) -> "ctypes._NamedFuncPointer | None":
        for prefix in ("", "scipy_"):
            if hasattr(self._library, prefix + name):
                found: ctypes._NamedFuncPointer = getattr(self._library, prefix + name)
                return found
        return None


def _filled(count: int) -> "ctypes.Array[ctypes.c_char]":
    """Memory with `count` floats of 0.75; pages that nobody has written would all be the same one."""
    memory = (ctypes.c_char * (count * _FLOAT)).from_buffer(mmap.mmap(-1, count * _FLOAT))
    ctypes.memset(memory, 0x3F, count * _FLOAT)
    return memory
