from dataclasses import dataclass

from inference.core.pool_state import Memory
from inference.core.units import in_gb
from inference.pool.residency import eviction


@dataclass
class Held:
    name: str
    bytes: int
    last_used: float = 0.0
    leases: int = 0
    sheddable: int = 0
    reclaiming: int = 0


def names(holders: object) -> list[str]:
    return [holder.name for holder in holders]  # type: ignore[attr-defined]


def plan(holders: list[Held], missing: int) -> tuple[list[tuple[str, int]], list[str], bool]:
    idle = [holder for holder in holders if not holder.leases]
    made = eviction.plan_eviction(holders, idle, missing)
    return [(holder.name, amount) for holder, amount in made.sheds], names(made.victims), made.is_enough


def test_it_evicts_the_least_recently_used_first() -> None:
    holders = [Held("new", 4, last_used=2), Held("old", 4, last_used=1)]
    assert plan(holders, 3) == ([], ["old"], True)


def test_it_evicts_as_many_as_are_needed() -> None:
    holders = [Held("new", 4, last_used=2), Held("old", 4, last_used=1)]
    assert plan(holders, 5) == ([], ["old", "new"], True)


def test_it_sheds_before_it_evicts_and_only_as_much_as_is_needed() -> None:
    holders = [Held("new", 4, last_used=2, sheddable=2), Held("old", 4, last_used=1, sheddable=2)]
    assert plan(holders, 3) == ([("old", 2), ("new", 1)], [], True)


def test_it_sheds_the_caches_of_busy_models_last() -> None:
    holders = [Held("busy", 4, last_used=1, leases=1, sheddable=2), Held("idle", 4, last_used=2, sheddable=2)]
    assert plan(holders, 3) == ([("idle", 2), ("busy", 1)], [], True)


def test_it_sheds_nothing_of_those_it_evicts_and_of_others_only_what_is_missing_then() -> None:
    holders = [Held("idle", 4, sheddable=1), Held("busy", 9, leases=1, sheddable=3)]
    assert plan(holders, 5) == ([("busy", 1)], ["idle"], True)


def test_it_leaves_caches_alone_when_an_eviction_is_needed_and_does() -> None:
    holders = [Held("idle", 8, sheddable=1), Held("busy", 9, leases=1, sheddable=3)]
    assert plan(holders, 6) == ([], ["idle"], True)


def test_it_says_when_all_of_it_is_not_enough() -> None:
    assert plan([Held("busy", 8, leases=1), Held("idle", 2)], 5) == ([], ["idle"], False)


def test_those_with_the_fewest_streams_make_way_first() -> None:
    holders = [Held("full", 4, leases=9), Held("some", 4, leases=1), Held("idle", 4, last_used=9)]
    assert names(eviction.plan_drain(holders, 5)) == ["idle", "some"]


def test_nobody_makes_way_when_nothing_is_missing() -> None:
    assert eviction.plan_drain([Held("idle", 4)], 0) == []


def test_it_shows_bytes_in_gigabytes() -> None:
    assert in_gb(640_000_000) == "0.6 GB"


def test_it_shows_a_workers_memory() -> None:
    memory = Memory(active=10**9, peak=2 * 10**9, cache=0, resident=3 * 10**9)
    assert eviction.figures(memory) == "1.0 GB active, 2.0 GB peak, 0.0 GB cached, 3.0 GB resident"
