from inference.core.pool_state import Memory, ModelState, PoolSnapshot, ResidentModel
from inference.serving.memory_breakdown import Bar, bar_of
from tests.each import each

GB = 10**9


def snapshot(*models: ResidentModel, limit: int = 10 * GB) -> PoolSnapshot:
    held = sum(model.reserved_bytes for model in models)
    return PoolSnapshot(limit_bytes=limit, reserved_bytes=held, models=models)


def model(held: int, *, kv: int = 0, memory: Memory | None = None) -> ResidentModel:
    return ResidentModel(
        id="tiny",
        state=ModelState.READY,
        reserved_bytes=held,
        kv_reserved_bytes=kv,
        memory=memory or Memory(resident=held),
    )


def test_an_empty_pool_is_all_free() -> None:
    assert bar_of(snapshot(), 50 * GB) == Bar(
        weights=0, kv=0, caches=0, others=0, free=10 * GB, limit=10 * GB
    )


def test_what_models_hold_is_distinguished() -> None:
    bar = bar_of(snapshot(model(5 * GB, kv=GB, memory=Memory(resident=5 * GB, prefix_cache=GB))), 50 * GB)
    assert (bar.weights, bar.kv, bar.caches, bar.free) == (3 * GB, GB, GB, 5 * GB)


def test_what_answers_may_still_need_is_told_beside_the_parts() -> None:
    growing = ResidentModel(
        id="tiny",
        state=ModelState.BUSY,
        reserved_bytes=GB,
        kv_growth_bytes=20 * GB,
        memory=Memory(resident=GB),
    )
    bar = bar_of(snapshot(growing), 50 * GB)
    assert (bar.growth, bar.total, bar.free) == (20 * GB, 10 * GB, 9 * GB)


def test_kv_caches_that_outgrew_what_was_reserved_count_as_they_are() -> None:
    bar = bar_of(snapshot(model(5 * GB, kv=GB, memory=Memory(resident=5 * GB, kv=2 * GB))), 50 * GB)
    assert (bar.weights, bar.kv) == (3 * GB, 2 * GB)


def test_what_other_programs_took_is_not_free() -> None:
    bar = bar_of(snapshot(model(5 * GB)), 2 * GB)
    assert (bar.others, bar.free) == (3 * GB, 2 * GB)


def test_what_a_load_under_way_will_take_is_not_free_to_others() -> None:
    bar = bar_of(snapshot(model(4 * GB, memory=Memory(resident=GB))), 5 * GB)
    assert (bar.others, bar.free) == (4 * GB, 2 * GB)


def test_memory_that_metal_holds_is_taken_already_though_it_is_not_resident() -> None:
    metal = Memory(active=28 * GB, resident=2 * GB)
    bar = bar_of(snapshot(model(30 * GB, memory=metal), limit=48 * GB), 26 * GB)
    assert (bar.others, bar.free) == (0, 18 * GB)


@each("held", [0, 3 * GB, 12 * GB])
def test_its_parts_are_the_whole(held: int) -> None:
    bar = bar_of(snapshot(model(held)), GB)
    assert bar.total == max(10 * GB, held)


def test_what_a_quantisation_claims_is_not_the_models() -> None:
    pool = PoolSnapshot(
        limit_bytes=10 * GB, reserved_bytes=5 * GB, claimed_bytes=3 * GB, models=(model(2 * GB),)
    )
    bar = bar_of(pool, 50 * GB)
    assert (bar.weights, bar.others, bar.free, bar.total) == (2 * GB, 3 * GB, 5 * GB, 10 * GB)
