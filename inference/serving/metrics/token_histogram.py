"""A histogram that is cheap enough for every token.

`prometheus_client.Histogram` compares a value with each bucket and takes two locks, for each token alone.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry


class TokenHistogram(Collector):
    """Observations by model; only one thread observes, and any may collect."""

    def __init__(self, name: str, text: str, bounds: Sequence[float], registry: CollectorRegistry) -> None:
        self._name = name
        self._text = text
        self._bounds = tuple(bounds)
        self._names = [*(str(float(bound)) for bound in bounds), "+Inf"]
        self._series: dict[str, TokenTimes] = {}
        registry.register(self)

    def of(self, model: str) -> "TokenTimes":
        """The observations of one model."""
        return self._series.setdefault(model, TokenTimes(self._bounds))

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._text, labels=("model",))
        for model, series in list(self._series.items()):
            buckets = list(zip(self._names, map(float, accumulate(series.counts)), strict=True))
            family.add_metric((model,), buckets, series.sum)
        yield family


class TokenTimes:
    """How many observations are in each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value so many times."""
        self.counts[bisect_left(self._bounds, value)] += times
        self.sum += value * times
