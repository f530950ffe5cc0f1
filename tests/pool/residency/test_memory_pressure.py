from inference.pool.residency import memory_pressure
from inference.pool.residency.memory_pressure import MemoryPressure
from tests.each import each


def levels(*shares: float) -> list[str]:
    gauged = MemoryPressure()
    seen: list[str] = []
    for share in shares:
        gauged.update(share)
        seen.append(gauged.level)
    return seen


def test_each_level_is_entered_below_its_mark() -> None:
    assert levels(0.5, 0.121, 0.119, 0.079, 0.039) == [
        *("normal", "normal", "shedding", "evicting", "refusing")
    ]


def test_a_level_is_left_only_three_points_above_where_it_was_entered() -> None:
    assert levels(0.039, 0.069, 0.071, 0.109, 0.111, 0.149, 0.151) == [
        *("refusing", "refusing", "evicting", "evicting", "shedding", "shedding", "normal")
    ]


def test_a_share_that_hovers_around_a_mark_changes_nothing() -> None:
    assert levels(0.11, 0.13, 0.11, 0.13) == ["shedding"] * 4


def test_it_may_fall_by_several_levels_at_once() -> None:
    assert levels(0.01) == ["refusing"]


@each(("kernel", "level"), [(1, "normal"), (2, "shedding"), (4, "evicting")])
def test_the_kernels_verdict_counts_at_least(kernel: int, level: str) -> None:
    gauged = MemoryPressure()
    assert gauged.update(0.9, kernel) == (level != "normal")
    assert gauged.level == level


def test_this_machine_can_be_gauged() -> None:
    assert 0 < memory_pressure.available() <= 1
    assert memory_pressure.kernel_level() in {1, 2, 4}
