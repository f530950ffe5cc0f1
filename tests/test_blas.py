from pathlib import Path

import pytest

from inference.blas import Blas, best_blas, preload


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


def test_a_library_without_blas_falls_back_to_the_bundled_one() -> None:
    assert preload(Blas("custom", "libc.so.6")) == Blas("bundled")
