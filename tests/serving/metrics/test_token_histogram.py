import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from inference.serving.metrics.token_histogram import TokenHistogram

BOUNDS = (0.01, 0.5, 1, 5)
VALUES = (0.0, 0.01, 0.0100001, 0.5, 0.7, 1.0, 4.9, 5.0, 6.0, 100.0)


def test_it_is_written_as_the_librarys_own_histogram_is() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    cheap = TokenHistogram("x_seconds", "Text.", BOUNDS, ours)
    usual = Histogram("x_seconds", "Text.", ("model",), registry=theirs, buckets=BOUNDS)
    for model in ("a", "b"):
        for value in VALUES:
            cheap.of(model).observe(value)
            usual.labels(model).observe(value)
    expected = [line for line in generate_latest(theirs).splitlines() if b"_created" not in line]
    assert sorted(generate_latest(ours).splitlines()) == sorted(expected)


def test_a_value_counts_several_times() -> None:
    registry = CollectorRegistry()
    TokenHistogram("x_seconds", "Text.", BOUNDS, registry).of("a").observe(0.25, 4)
    read = [registry.get_sample_value(f"x_seconds_{part}", {"model": "a"}) for part in ("count", "sum")]
    assert read == pytest.approx([4, 1.0])
