"""Plans for a register of quantisations."""

from pathlib import Path

from inference.core.quantisation import QuantisationJob, QuantisationSettings
from inference.repository.quantising.plan import QuantisationPlan, QuantisingPrediction

SCRIPTED = "tests.repository.quantising.scripted_process"


def plan(models: Path, name: str = "tiny-4bit", *, source: Path | None = None) -> QuantisationPlan:
    source = source or models / "tiny"
    source.mkdir(parents=True, exist_ok=True)
    job = QuantisationJob(
        source=source.name,
        source_path=str(source),
        name=name,
        target_path=str(models / name),
        settings=QuantisationSettings(),
        needed_disk_bytes=1,
    )
    sizes = QuantisingPrediction(
        source_bytes=4,
        source_memory_bytes=5,
        bytes=1,
        memory_bytes=2,
        needed_memory_bytes=6,
        needed_disk_bytes=1,
    )
    return QuantisationPlan(job=job, prediction=sizes)
