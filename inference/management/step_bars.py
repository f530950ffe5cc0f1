"""Progress bars for the steps of a quantisation."""

from collections.abc import Sequence
from typing import Any, TextIO

from tqdm import tqdm

from inference.core.conversion import ConversionStep

_NAMES = {"quantise": "Quantising", "measure_source": "Measuring before", "measure_result": "Measuring after"}
_UNITS = {"quantise": "B"}


class StepBars:
    """A bar for each step that has begun; those of finished steps stay above the others."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bars: dict[str, Any] = {}

    def show(self, steps: Sequence[ConversionStep]) -> None:
        for step in steps:
            bar = self._bars.get(step.name) or self._open(step)
            bar.update(step.done - bar.n)
            if step.done < step.size:
                break  # they come one after another

    def close(self) -> None:
        for bar in self._bars.values():
            bar.close()

    def _open(self, step: ConversionStep) -> Any:
        self._bars[step.name] = tqdm(
            total=step.size,
            unit=_UNITS.get(step.name, "tok"),
            unit_scale=True,
            desc=_NAMES[step.name],
            file=self._stream,
        )
        return self._bars[step.name]
