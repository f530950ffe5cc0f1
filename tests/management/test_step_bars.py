from contextlib import closing
from io import StringIO

from inference.core.conversion import ConversionStep
from inference.management.step_bars import StepBars


def test_each_step_has_a_bar_once_the_one_before_it_has_ended() -> None:
    stream = StringIO()
    with closing(StepBars(stream)) as bars:
        measuring = ConversionStep(name="measure_source", done=0, size=100)
        bars.show([ConversionStep(name="quantise", done=5, size=10), measuring])
        assert "Measuring" not in stream.getvalue()
        bars.show([ConversionStep(name="quantise", done=10, size=10), measuring])
    assert "Quantising: 100%" in stream.getvalue() and "Measuring before:   0%" in stream.getvalue()
