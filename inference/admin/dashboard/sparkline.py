"""The last hour as two lines, for a page that cannot draw its own chart."""

from collections.abc import Sequence

from msgspec import Struct

from inference.serving.usage_history import EVERY_S, KEPT, Sample

HEIGHT = 100


class Line(Struct, frozen=True, kw_only=True):
    """Points of a picture KEPT wide and HEIGHT high, with the present at its right."""

    held: str
    rate: str


def line(samples: Sequence[Sample]) -> Line:
    """Draw what the models held, as a share of the budget, and the tokens a second as one of their most."""
    if not samples:
        return Line(held="", rate="")
    most_bytes = max(max(s.held + s.others + s.free for s in samples), 1)
    most_rate = max(max(sample.rate for sample in samples), 1.0)
    places = [round(KEPT - (samples[-1].at - sample.at) / EVERY_S, 1) for sample in samples]
    return Line(
        held=_points(places, [sample.held / most_bytes for sample in samples]),
        rate=_points(places, [sample.rate / most_rate for sample in samples]),
    )


def _points(places: Sequence[float], shares: Sequence[float]) -> str:
    return " ".join(f"{x},{HEIGHT - share * HEIGHT:.1f}" for x, share in zip(places, shares, strict=True))
