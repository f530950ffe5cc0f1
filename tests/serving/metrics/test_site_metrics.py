import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from inference.core.pool_state import PoolEvent
from inference.serving.metrics.site_metrics import SiteMetrics
from tests.serving.metrics.test_state_metrics import site_state


@pytest.fixture
def metrics() -> SiteMetrics:
    metrics = SiteMetrics()
    metrics.count_http("openai chat", 200)
    metrics.pool(PoolEvent(kind="loaded", model="tiny", text="", at=0.0, seconds=1.0))
    return metrics


def test_the_text_is_that_of_prometheus(metrics: SiteMetrics, tmp_path: Path) -> None:
    text, kind = metrics.render(site_state(tmp_path), "")
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert kind.startswith("text/plain")
    assert {"mlxsite_http_requests", "mlxsite_model_loads", "mlxsite_memory_bytes", "mlxsite_ready"} <= names


def test_open_metrics_are_sent_where_they_are_asked_for(metrics: SiteMetrics, tmp_path: Path) -> None:
    text, kind = metrics.render(site_state(tmp_path), "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert list(open_metrics(text.decode()))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=abc",
        "application/openmetrics-text;version=",
        "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8",
        "text/plain;version=x.y",
        "text/plain;version=1.0.0;escaping=values, */*;q=0.1",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "\u00e9;;;,,=",
    ],
)
def test_any_header_gets_a_text(metrics: SiteMetrics, tmp_path: Path, accept: str) -> None:
    text, kind = metrics.render(site_state(tmp_path), accept)
    assert b"mlxsite_ready 1.0\n" in text and kind.isascii()


def test_no_series_say_when_another_one_began(metrics: SiteMetrics, tmp_path: Path) -> None:
    text, _ = metrics.render(site_state(tmp_path), "")
    assert b"_created" not in text


def test_nothing_of_ours_is_in_the_registry_that_libraries_share() -> None:
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("mlxsite")]


def test_names_follow_the_conventions(metrics: SiteMetrics, tmp_path: Path) -> None:
    text, _ = metrics.render(site_state(tmp_path), "")
    types = dict(re.findall(r"^# TYPE (mlxsite_\S+) (\S+)$", text.decode(), re.MULTILINE))
    assert {name for name, kind in types.items() if (kind == "counter") != name.endswith("_total")} == set()
    times = {name for name, kind in types.items() if kind == "histogram"}
    assert {name for name in times if not name.endswith("_seconds")} == set()
