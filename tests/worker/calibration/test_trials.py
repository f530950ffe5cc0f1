"""Processes that multiply: they answer, crash or take too long."""

import os
import signal
import time

import pytest

from inference.core.blas import best_blas
from inference.worker.calibration.choice import KernelChoice
from inference.worker.calibration.products import Buffers, products
from inference.worker.calibration.trials import TrialProcess

pytestmark = pytest.mark.skipif(not best_blas().path, reason="there is no BLAS to measure")


def test_a_trial_reports_each_product() -> None:
    trial = TrialProcess(KernelChoice("", 1), best_blas().path, Buffers(), is_alone=True)
    try:
        times = trial.measure(time.monotonic() + 30)
        assert times is not None and times.keys() == set(products())
        assert trial.measure(time.monotonic()) is None  # there is no time left
        assert trial.measure(time.monotonic() + 30)
    finally:
        trial.end()


def test_a_trial_that_ends_counts_as_not_measured() -> None:
    trial = TrialProcess(KernelChoice("", 1), "libm.so.6", Buffers(), is_alone=True)
    try:
        assert trial.measure(time.monotonic() + 30) is None
        assert trial.measure(time.monotonic() + 30) is None
    finally:
        trial.end()


def test_a_trial_that_is_late_is_not_asked_again() -> None:
    trial = TrialProcess(KernelChoice("", 1), best_blas().path, Buffers(), is_alone=True)
    try:
        os.kill(trial._pid, signal.SIGSTOP)
        assert trial.measure(time.monotonic() + 0.1) is None
        os.kill(trial._pid, signal.SIGCONT)
        assert trial.measure(time.monotonic() + 30) is None
    finally:
        trial.end()
