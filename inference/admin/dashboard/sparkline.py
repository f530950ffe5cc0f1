"""The last hour as two SVG lines, for a page without JavaScript."""

from collections.abc import Sequence

from msgspec import Struct

from inference.serving.usage_history import EVERY_S, KEPT, Sample

HEIGHT = 100


class Line(Struct, frozen=True, kw_only=True):
    """Points of two polylines in a view box KEPT wide and HEIGHT high, with the present at its right."""

    held: str
    rate: str


def line(samples: Sequence[Sample]) -> Line:
    """The memory that models held as a share of the budget, and tokens per second, of their maximum."""
    if not samples:
        return Line(held="", rate="")
    max_bytes = max(max(s.held + s.others + s.free for s in samples), 1)
    max_rate = max(max(sample.rate for sample in samples), 1.0)
    xs = [round(KEPT - (samples[-1].at - sample.at) / EVERY_S, 1) for sample in samples]
    return Line(
        held=_points(xs, [sample.held / max_bytes for sample in samples]),
        rate=_points(xs, [sample.rate / max_rate for sample in samples]),
    )


def _points(xs: Sequence[float], shares: Sequence[float]) -> str:
    return " ".join(f"{x},{HEIGHT - share * HEIGHT:.1f}" for x, share in zip(xs, shares, strict=True))
