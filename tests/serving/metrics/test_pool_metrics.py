from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry

from inference.core.pool_state import DeathReason, EvictionReason, PoolEvent
from inference.serving.metrics.model_labels import ModelLabels
from inference.serving.metrics.pool_metrics import PoolMetrics
from tests.serving.metrics.values import counts, value


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> PoolMetrics:
    return PoolMetrics(registry, ModelLabels())


def event(kind: Any, **fields: Any) -> PoolEvent:
    return PoolEvent(kind=kind, model="tiny", text="", at=0.0, **fields)


def test_loads_and_reloads_count_with_their_time(registry: CollectorRegistry, metrics: PoolMetrics) -> None:
    metrics(event("loaded", seconds=1.5))
    metrics(event("restarted", seconds=2.0))
    metrics(event("load_failed", seconds=9.0))
    assert counts(registry, "model_loads_total", "result") == {"ok": 2, "failed": 1}
    assert value(registry, "model_load_seconds_sum", model="tiny") == 3.5


@pytest.mark.parametrize(
    ("kind", "reason"), [("evicted", "memory"), ("expired", "idle"), ("unloaded", "operator")]
)
def test_an_eviction_has_its_reason(
    registry: CollectorRegistry, metrics: PoolMetrics, kind: str, reason: str
) -> None:
    metrics(event(kind, reason=reason))
    assert counts(registry, "model_evictions_total", "reason") == {reason: 1}
    assert counts(registry, "worker_deaths_total", "reason") == {}


def test_a_death_has_its_reason(registry: CollectorRegistry, metrics: PoolMetrics) -> None:
    metrics(event("died", reason="stuck"))
    assert counts(registry, "worker_deaths_total", "reason") == {"stuck": 1}
    assert counts(registry, "model_evictions_total", "reason") == {}


def test_other_events_are_not_counted_and_begin_no_series(
    registry: CollectorRegistry, metrics: PoolMetrics
) -> None:
    metrics(event("refused"))
    metrics(event("shed"))
    assert not [sample for family in registry.collect() for sample in family.samples]


def test_every_reason_of_a_model_begins_at_zero(registry: CollectorRegistry, metrics: PoolMetrics) -> None:
    metrics(event("loaded"))
    for reason in get_args(EvictionReason):
        assert registry.get_sample_value(
            "mlxsite_model_evictions_total", {"model": "tiny", "reason": reason}
        ) in (0.0,)
    for reason in get_args(DeathReason):
        assert registry.get_sample_value(
            "mlxsite_worker_deaths_total", {"model": "tiny", "reason": reason}
        ) in (0.0,)
