"""The settings decide over what was measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference.core.blas import best_blas
from inference.core.calibration_file import Calibration, this_key, write
from inference.core.config import Config
from inference.core.cpu_tuning import CpuTuning, ShapeClass
from inference.serving import cpu_tuning

pytestmark = pytest.mark.skipif(not best_blas().path, reason="there is no BLAS to measure")
MEASURED = CpuTuning(kernels="Zen", threads=1, by_row=(ShapeClass.OUTPUT,))


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> Iterator[None]:
    write(tmp_path, Calibration(key=this_key(best_blas()), tuning=MEASURED, seconds=2.0))
    yield
    cpu_tuning._calibrator.cache_clear()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, MEASURED),
        ({"cpu_calibration": "off"}, CpuTuning()),
        ({"device": "gpu"}, CpuTuning()),
        (
            {"cpu_threads": 2},
            CpuTuning(kernels="Zen", threads=2, by_row=(ShapeClass.OUTPUT,), are_threads_fixed=True),
        ),
        ({"cpu_kernels": "Haswell", "cpu_layout": "column"}, CpuTuning(kernels="Haswell", threads=1)),
        ({"cpu_calibration": "off", "cpu_layout": "row"}, CpuTuning(by_row=tuple(ShapeClass))),
    ],
)
def test_settings_decide(given: dict[str, Any], found: CpuTuning, settings: Settings, tmp_path: Path) -> None:
    settings.CONFIG = Config(**{"data_dir": tmp_path, "cpu_calibration": "auto", "device": "cpu", **given})
    assert cpu_tuning.of_workers() == found
