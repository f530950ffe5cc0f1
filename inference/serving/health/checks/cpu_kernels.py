"""What the calibration of this CPU has found."""

from collections.abc import Iterator

from inference.serving import cpu_tuning
from inference.serving.health.finding import CheckResult


def check() -> Iterator[CheckResult]:
    """The result of the calibration; it measures now if it has not yet."""
    calibrator = cpu_tuning.calibrator()
    calibration = calibrator.calibration()
    if calibration is None:
        text = f"not measured: {calibrator.failure or 'needless, or switched off'}; {cpu_tuning.of_workers()}"
        yield CheckResult(about="CPU kernels", text=text, state="look" if calibrator.failure else "good")
        return
    measured = f"measured in {calibration.seconds:g} s on {calibration.key.cores} cores"
    yield CheckResult(about="CPU kernels", text=f"{cpu_tuning.of_workers()}; {measured}")
