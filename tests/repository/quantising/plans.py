"""Plans for a register, and waiting for what becomes of them."""

import time
from collections.abc import Callable
from pathlib import Path

from inference.core.quantisation import QuantisationJob, QuantisationSettings
from inference.repository.quantising.active_quantisation import ActiveQuantisation, State
from inference.repository.quantising.plan import Prediction, QuantisationPlan
from inference.repository.quantising.register import Quantisations

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
    sizes = Prediction(
        source_bytes=4,
        source_memory_bytes=5,
        bytes=1,
        memory_bytes=2,
        needed_memory_bytes=6,
        needed_disk_bytes=1,
    )
    return QuantisationPlan(job=job, prediction=sizes)


def until(
    register: Quantisations, fits: Callable[[ActiveQuantisation], bool], name: str = "tiny-4bit"
) -> ActiveQuantisation:
    end = time.monotonic() + 120
    while True:
        found = register.of(name)
        if found and fits(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


def has_ended(one: ActiveQuantisation) -> bool:
    return not one.is_active


def has_begun(one: ActiveQuantisation) -> bool:
    return one.state is State.RUNNING and bool(one.progress.steps)
