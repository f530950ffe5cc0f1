import subprocess
import sys
from pathlib import Path

import pytest

from inference.core.blas import (
    Blas,
    best_blas,
    blas_of_others,
    candidates,
    environment,
    preload,
    preload_best,
)


def test_the_operators_library_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert best_blas("/opt/libfast.so") == Blas("custom", "/opt/libfast.so")


def test_macos_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert best_blas().name == "Accelerate"


def test_mkl_in_this_environment_is_found_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libmkl_rt.so.2").touch()
    assert best_blas() == Blas("MKL", str(tmp_path / "lib" / "libmkl_rt.so.2"))


def test_a_library_that_is_missing_falls_back_to_the_bundled_one(tmp_path: Path) -> None:
    assert preload(Blas("custom", str(tmp_path / "nothing.so"))) == Blas("bundled")


def test_the_operators_library_is_not_replaced_by_another_one(tmp_path: Path) -> None:
    assert preload_best(str(tmp_path / "nothing.so")) == Blas("bundled")


def test_the_wheel_comes_before_the_systems_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    system = tmp_path / "libopenblas.so.0"
    wheel = tmp_path / "scipy_openblas32" / "lib" / "libscipy_openblas.so"
    wheel.parent.mkdir(parents=True)
    for file in (system, wheel, tmp_path / "scipy_openblas32" / "__init__.py"):
        file.touch()
    monkeypatch.setattr("inference.core.blas._OPENBLAS", (str(system),))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert candidates() == [
        Blas("scipy-openblas32", str(wheel)),
        Blas("OpenBLAS", str(system)),
        Blas("bundled"),
    ]


def test_other_programs_get_the_systems_library_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "libopenblas.so.0").touch()
    monkeypatch.setattr("inference.core.blas._OPENBLAS", (f"{tmp_path}/libopenblas.so.0",))
    assert blas_of_others().name == "OpenBLAS"
    assert blas_of_others("/opt/libfast.so").name == "custom"
    monkeypatch.setattr("inference.core.blas._OPENBLAS", ())
    assert blas_of_others() == best_blas()


def test_a_library_without_blas_falls_back_to_the_bundled_one() -> None:
    assert preload(Blas("custom", "libc.so.6")) == Blas("bundled")


def test_after_mlx_it_is_too_late() -> None:
    program = (
        "import mlx.core\n"
        "from inference.core.blas import best_blas, preload\n"
        "found = best_blas()\n"
        "print(preload(found).name == ('bundled' if found.path else found.name))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_the_workers_start_leaves_mlx_for_later() -> None:
    """MLX imported with the worker's first module once cost a CPU nine tenths of its speed."""
    program = "import sys, inference.worker.__main__; print([m for m in sys.modules if m.startswith('mlx')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [
        ({"sse4_2", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl"}, "SkylakeX"),
        ({"sse4_2", "avx2", "fma", "avx512f"}, "Haswell"),
        ({"sse4_2", "avx2", "fma"}, "Haswell"),
        ({"sse4_2", "avx"}, None),
        (set(), None),
    ],
)
def test_an_openblas_older_than_the_processor_is_set_to_kernels_it_can_run(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], kernels: str | None
) -> None:
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert environment(frozenset(flags)).get("OPENBLAS_CORETYPE") == kernels


def test_the_operators_kernels_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    assert environment(frozenset({"avx2", "fma"})) == {}


@pytest.mark.skipif("OpenBLAS" not in {blas.name for blas in candidates()}, reason="tells of OpenBLAS only")
def test_openblas_uses_the_kernels_that_were_set() -> None:
    program = (
        "import ctypes, os\n"
        "from inference.core.blas import candidates, preload\n"
        "found = next(blas for blas in candidates() if blas.name == 'OpenBLAS')\n"
        "name = ctypes.CDLL(preload(found).path).openblas_get_corename\n"
        "name.restype = ctypes.c_char_p\n"
        "print(name().decode(), os.environ.get('OPENBLAS_CORETYPE'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    used, chosen = done.stdout.split()
    assert chosen in {used, "None"}
