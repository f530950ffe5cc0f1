"""What the pool decides: loads, evictions and the deaths of workers."""

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from inference.core.pool_state import DeathReason, EvictionReason, PoolEvent
from inference.serving.metrics.model_labels import ModelLabels

_LOADS: Final = {"loaded": "ok", "restarted": "ok", "load_failed": "failed"}
_LOAD_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)


class PoolMetrics:
    """Called with every event of the pool."""

    def __init__(self, registry: CollectorRegistry, labels: ModelLabels) -> None:
        self._labels = labels
        self._known: set[str] = set()
        self.loads = Counter(
            "mlxsite_model_loads", "Loads of models.", ("model", "result"), registry=registry
        )
        self.evictions = Counter(
            "mlxsite_model_evictions",
            "Models that left memory, by the reason.",
            ("model", "reason"),
            registry=registry,
        )
        self.deaths = Counter(
            "mlxsite_worker_deaths",
            "Workers that ended by themselves, by the reason.",
            ("model", "reason"),
            registry=registry,
        )
        self.load_s = Histogram(
            "mlxsite_model_load_seconds",
            "Time of successful loads.",
            ("model",),
            registry=registry,
            buckets=_LOAD_BUCKETS,
        )

    def __call__(self, event: PoolEvent) -> None:
        result = _LOADS.get(event.kind)
        if not (result or event.reason):
            return
        model = self._labels.of_id(event.model)
        self._begin(model)
        if result:
            self.loads.labels(model, result).inc()
        if result == "ok":
            self.load_s.labels(model).observe(event.seconds)
        if event.kind == "died":
            self.deaths.labels(model, event.reason).inc()
        elif event.reason:
            self.evictions.labels(model, event.reason).inc()

    def _begin(self, model: str) -> None:
        """Start a model's counters at 0: a rate needs the value before the first event, too."""
        if model in self._known:
            return
        self._known.add(model)
        for result in set(_LOADS.values()):
            self.loads.labels(model, result)
        for eviction in get_args(EvictionReason):
            self.evictions.labels(model, eviction)
        for death in get_args(DeathReason):
            self.deaths.labels(model, death)
