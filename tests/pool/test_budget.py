from dataclasses import dataclass

from inference.pool import budget
from inference.types import Memory


@dataclass
class Held:
    name: str
    bytes: int
    last_used: float = 0.0
    is_evictable: bool = True
    is_leaving: bool = False


def chosen(holders: list[Held], need: int, limit: int) -> list[str]:
    return [holder.name for holder in budget.victims(holders, need, limit)]


def test_it_evicts_nobody_when_there_is_room() -> None:
    assert chosen([Held("a", 4)], need=5, limit=10) == []


def test_it_evicts_the_least_recently_used_first() -> None:
    holders = [Held("new", 4, last_used=2), Held("old", 4, last_used=1)]
    assert chosen(holders, need=5, limit=10) == ["old"]


def test_it_evicts_as_many_as_are_needed() -> None:
    holders = [Held("new", 4, last_used=2), Held("old", 4, last_used=1)]
    assert chosen(holders, need=10, limit=10) == ["old", "new"]


def test_it_never_chooses_a_busy_one() -> None:
    holders = [Held("busy", 4, last_used=1, is_evictable=False), Held("idle", 4, last_used=2)]
    assert chosen(holders, need=5, limit=10) == ["idle"]


def test_it_sends_nobody_away_when_that_would_not_be_enough() -> None:
    holders = [Held("busy", 8, is_evictable=False), Held("idle", 2)]
    assert chosen(holders, need=5, limit=10) == []


def test_it_counts_bytes_that_are_already_on_their_way() -> None:
    holders = [Held("leaving", 6, is_evictable=False, is_leaving=True), Held("idle", 4)]
    assert chosen(holders, need=6, limit=10) == []


def test_it_shows_bytes_in_gigabytes() -> None:
    assert budget.in_gb(640_000_000) == "0.6 GB"


def test_it_shows_a_workers_memory() -> None:
    memory = Memory(active=10**9, peak=2 * 10**9, cache=0, resident=3 * 10**9)
    assert budget.figures(memory) == "1.0 GB active, 2.0 GB peak, 0.0 GB cached, 3.0 GB resident"
