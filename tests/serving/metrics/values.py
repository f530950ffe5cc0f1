"""The samples of a registry, as tests compare them."""

from typing import Any

from prometheus_client import CollectorRegistry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """The value of one sample of mlxsite; 0 where there is none."""
    return registry.get_sample_value(f"mlxsite_{name}", labels) or 0.0


def counts(registry: CollectorRegistry, name: str, label: str) -> dict[str, Any]:
    """The values of a family that are not 0, by one of its labels."""
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {
        sample.labels[label]: sample.value
        for sample in samples
        if sample.name == f"mlxsite_{name}" and sample.value
    }
