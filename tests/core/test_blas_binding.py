"""MLX calls the wheel's routines, or its own where the wheel is not what it should be."""

import ctypes
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("scipy_openblas32") is None, reason="the wheel is for Linux only")

_RETURN = {"x86_64": bytes.fromhex("c3"), "aarch64": bytes.fromhex("c0035fd6")}
_START = """
import ctypes, sys
from inference.core import blas, blas_binding
from inference.worker.product_check import multiplies
"""
# Compares a product with the sums that it stands for.
_PRODUCT = """
import mlx.core as mx
with mx.stream(mx.cpu):
    left = mx.arange(256.0).reshape(16, 16) % 7
    print(mx.array_equal(left @ left, (left[:, :, None] * left[None]).sum(1)).item())
"""


def wheel() -> Path:
    package = find_spec("scipy_openblas32")
    assert package and package.submodule_search_locations
    return next(Path(package.submodule_search_locations[0], "lib").glob("libscipy_openblas*.so"))


def run(program: str, path: Path | None = None) -> list[str]:
    """The words that a process prints, `path` being where it looks for packages first."""
    found = [f"sys.path.insert(0, {str(path)!r})"] if path else []
    lines = "\n".join(["import sys", *found, _START, program])
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def changed_wheel(folder: Path, change: Callable[[bytes], bytes]) -> Path:
    """A folder with a package of the wheel's name, whose library is a changed copy."""
    library = folder / "scipy_openblas32" / "lib" / wheel().name
    library.parent.mkdir(parents=True)
    library.write_bytes(change(wheel().read_bytes()))
    shutil.copy(wheel().parents[1] / "__init__.py", library.parents[1])
    return folder


def without_routine(library: bytes) -> bytes:
    assert b"\0scipy_cblas_sgemm\0" in library
    return library.replace(b"\0scipy_cblas_sgemm\0", b"\0scipy_cblas_sgemX\0")


def that_computes_nothing(library: bytes) -> bytes:
    """The product returns at once, and leaves its result as it was."""
    routine = ctypes.CDLL(str(wheel())).scipy_cblas_sgemm
    address = ctypes.cast(routine, ctypes.c_void_p).value
    assert address
    start = ctypes.string_at(address, 256)
    assert library.count(start) == 1
    code = _RETURN[platform.machine()]
    return library.replace(start, code + start[len(code) :])


def test_mlx_multiplies_with_the_wheel() -> None:
    program = """
binding = blas_binding.bind(ctypes.CDLL(blas.best_blas().path), "scipy_", blas_binding.mlx_library())
print(*sorted(binding.symbols))
"""
    bound = run(program + _PRODUCT)
    assert bound[-1] == "True"
    assert {"cblas_sgemm", "cblas_dgemm", "sgesdd_", "sgeqrf_"} <= set(bound)


def test_the_routine_that_is_called_is_the_bound_one() -> None:
    """A routine that computes nothing is bound: MLX's product shows it, and is right again after `undo`."""
    program = """
mlx = blas_binding.mlx_library()
nothing = ctypes.CFUNCTYPE(None)(lambda: None)
class Library:
    test_cblas_sgemm = nothing
binding = blas_binding.bind(Library(), "test_", mlx)
print(*binding.symbols)
import mlx.core as mx
with mx.stream(mx.cpu):
    ones = mx.ones((16, 16))
    mx.eval(ones)
address = ctypes.cast(nothing, ctypes.c_void_p).value
print(all(ctypes.c_uint64.from_address(slot.place).value == address for slot in binding.before))
binding.undo()
print((ones @ ones)[0, 0].item())
"""
    assert run(program) == ["cblas_sgemm", "True", "16.0"]


def test_a_table_that_is_read_only_is_written_and_read_only_again() -> None:
    program = """
import mmap
page = mmap.mmap(-1, mmap.PAGESIZE)
place = ctypes.addressof(ctypes.c_char.from_buffer(page))
blas_binding._protect(place, mmap.PROT_READ)
print(blas_binding._is_writable(place), blas_binding._write(place + 8, 7))
print(blas_binding._is_writable(place), ctypes.c_uint64.from_address(place + 8).value)
"""
    assert run(program) == ["False", "0", "False", "7"]


def test_a_table_that_cannot_be_changed_stays_as_it_is() -> None:
    program = """
places, write = [], blas_binding._write
def write_some(place, address):
    if len(places) == 3:
        places.append(place)
        raise blas_binding.CannotBind("no")
    places.append(place)
    return write(place, address)
mlx = blas_binding.mlx_library()
before = {slot: ctypes.c_uint64.from_address(slot.place).value for slot in blas_binding._slots(mlx)}
blas_binding._write = write_some
try:
    blas_binding.bind(ctypes.CDLL(blas.best_blas().path), "scipy_", mlx)
except blas_binding.CannotBind:
    after = {slot: ctypes.c_uint64.from_address(slot.place).value for slot in before}
    print(len(places), [slot for slot in before if after[slot] != before[slot]])
"""
    assert run(program) == ["7", "[]"]


@pytest.mark.parametrize(
    "change",
    [
        lambda library: library[:100_000],
        lambda library: library[: len(library) // 2],
        lambda library: library[:40],
        lambda library: b"",
        lambda library: b"<html>" * 1000,
        without_routine,
        that_computes_nothing,
    ],
    ids=[
        "cut off",
        "half",
        "a header",
        "empty",
        "a page",
        "without the routine",
        "wrong products",
    ],
)
def test_a_wheel_that_does_not_work_is_passed_over(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    folder = changed_wheel(tmp_path, change)
    program = """
first, *others = blas.candidates()
print(first.path, blas.preload_best("", multiplies) in others)
"""
    path, is_other, product = run(program + _PRODUCT, folder)
    assert path.startswith(str(tmp_path))
    assert (is_other, product) == ("True", "True")


def test_an_unknown_machine_is_told_from_one_that_can_be_bound() -> None:
    program = """
blas_binding.platform.machine = lambda: "riscv64"
wheel = blas.best_blas()
print(blas.preload(wheel).name)
"""
    assert run(program + _PRODUCT) == ["bundled", "True"]


def test_a_library_that_does_not_import_the_routine_stays_as_it_is() -> None:
    program = """
try:
    blas_binding.bind(ctypes.CDLL(blas.best_blas().path), "scipy_", ctypes.CDLL("libm.so.6"))
except blas_binding.CannotBind as error:
    print(error)
"""
    assert "cblas_sgemm" in run(program)


def test_the_operator_may_name_the_wheels_library(tmp_path: Path) -> None:
    copied = shutil.copy(wheel(), tmp_path / "libfast.so")
    assert run(f"print(blas.preload_best({str(copied)!r}).name)" + _PRODUCT) == ["custom", "True"]
