from pathlib import Path
from typing import Any

from msgspec import structs

from inference import __version__
from inference.core.data_folder import DATABASE
from inference.core.pool_state import Memory, ModelState, PoolSnapshot, ResidentModel
from inference.serving.metrics.model_labels import OTHER, ModelLabels
from inference.serving.metrics.state_metrics import RedisState, SiteState, state_metrics
from tests.fakes import GB

MODEL = ResidentModel(
    id="tiny",
    state=ModelState.BUSY,
    leases=2,
    reserved_bytes=3 * GB,
    memory=Memory(active=2 * GB, resident=3 * GB, kv=GB // 2, prefix_cache=GB, helpers=GB // 8),
    kv_reserved_bytes=GB,
)
POOL = PoolSnapshot(
    limit_bytes=10 * GB, reserved_bytes=3 * GB, waiting=4, models=(MODEL,), pressure="shedding"
)


def site_state(folder: Path, **changes: Any) -> SiteState:
    state = SiteState(
        pool=POOL,
        phases=("decode", "decode", "queued", "over"),
        available_bytes=5 * GB,
        is_ready=True,
        redis=None,
        data_dir=folder,
        models_dir=folder / "models",
    )
    return structs.replace(state, **changes)


def samples(state: SiteState, labels: ModelLabels | None = None) -> dict[tuple[str, ...], float]:
    families = state_metrics(state, labels or ModelLabels())
    return {
        (sample.name.removeprefix("mlxsite_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_memory_by_kind_adds_up_to_the_limit(tmp_path: Path) -> None:
    found = samples(site_state(tmp_path))
    kinds = {name[1]: value for name, value in found.items() if name[0] == "memory_bytes"}
    assert kinds == {
        "weights": GB,
        "kv_cache": GB,
        "prefix_cache": GB,
        "other_programs": 2 * GB,
        "free": 5 * GB,
    }
    assert sum(kinds.values()) == found["memory_limit_bytes",] == 10 * GB
    assert found["memory_pressure", "shedding"] == 1 and found["memory_pressure", "normal"] == 0


def test_requests_by_phase_have_every_phase(tmp_path: Path) -> None:
    found = samples(site_state(tmp_path))
    phases = {name[1]: value for name, value in found.items() if name[0] == "requests_in_progress"}
    assert phases == {"queued": 1, "loading": 0, "prefill": 0, "decode": 2, "paused": 0}
    assert found["requests_waiting",] == 4


def test_models_have_their_state_and_their_memory(tmp_path: Path) -> None:
    found = samples(site_state(tmp_path))
    assert (found["models", "busy"], found["models", "failed"]) == (1, 0)
    assert found["model_memory_bytes", "tiny", "active"] == 2 * GB
    assert found["model_memory_bytes", "tiny", "helpers"] == GB // 8
    assert found["model_requests", "tiny"] == 2


def test_models_beyond_the_limit_of_labels_are_added_up(tmp_path: Path) -> None:
    models = tuple(structs.replace(MODEL, id=f"m{number}") for number in range(3))
    pool = structs.replace(POOL, models=models)
    found = samples(site_state(tmp_path, pool=pool), ModelLabels(most=1))
    assert found["model_memory_bytes", OTHER, "active"] == 4 * GB


def test_the_database_and_the_disk(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"x" * 100)
    found = samples(site_state(tmp_path))
    assert found["database_bytes", "main"] == 100
    assert ("database_bytes", "wal") not in found
    assert 0 < found["disk_free_bytes", "data"] <= found["disk_size_bytes", "data"]
    assert ("disk_free_bytes", "models") not in found  # the folder is gone
    assert found["database_writes_waiting",] >= 0


def test_whether_the_server_is_ready_and_its_version(tmp_path: Path) -> None:
    assert samples(site_state(tmp_path, is_ready=False))["ready",] == 0
    assert samples(site_state(tmp_path))["build_info", __version__] == 1


def test_the_redis_has_values_at_a_front_only(tmp_path: Path) -> None:
    names = ("redis_up", "redis_losses_total", "fronts")
    alone = samples(site_state(tmp_path))
    assert not any((name,) in alone for name in names)
    for is_lost in (True, False):
        redis = RedisState(is_lost=is_lost, losses=3, fronts=2)
        found = samples(site_state(tmp_path, redis=redis))
        assert [found[name,] for name in names] == [not is_lost, 3, 2]
