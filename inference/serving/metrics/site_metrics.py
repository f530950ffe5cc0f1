"""All metrics of this process, and their text for Prometheus."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from inference.serving.metrics.model_labels import ModelLabels
from inference.serving.metrics.pool_metrics import PoolMetrics
from inference.serving.metrics.request_metrics import RequestMetrics
from inference.serving.metrics.state_metrics import SiteState, state_metrics


class SiteMetrics:
    """The counters of a process, in a registry that other libraries do not write to."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.labels = ModelLabels()
        self.requests = RequestMetrics(self._registry)
        self.pool = PoolMetrics(self._registry, self.labels)
        self._http = Counter(
            "mlxsite_http_requests",
            "HTTP requests that are answered, by the status; 499: the client left.",
            ("endpoint", "status"),
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)

    def count_http(self, endpoint: str, status: int) -> None:
        """Count an HTTP response; `endpoint` must be one of a bounded number of names."""
        self._http.labels(endpoint, str(status)).inc()

    def render(self, state: SiteState, accept: str) -> tuple[bytes, str]:
        """The text in the format that the Accept header asks for, and its type; blocks for the disk."""
        encode, content_type = _encoder(accept)
        return encode(_Scrape(self._registry, state_metrics(state, self.labels))), content_type


def _encoder(accept: str) -> tuple[Callable[..., bytes], str]:
    """The encoder for an Accept header; that of the plain text where the header makes no sense."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")


class _Scrape:
    """What a registry has collected, and further families, as encoders want it.

    The samples `_created` are left out: they double the number of series, and Prometheus does not use them.
    """

    def __init__(self, registry: CollectorRegistry, more: Iterable[Metric]) -> None:
        self._registry = registry
        self._more = more

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family
        yield from self._more


METRICS = SiteMetrics()
