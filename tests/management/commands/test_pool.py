import json

from inference.core.pool_state import ModelState, PoolEvent, PoolSnapshot, RankState, ResidentModel
from inference.management.commands.pool import Command
from tests.management.fake_site import FakeSite, run

BUSY = ResidentModel(
    id="org/tiny", state=ModelState.BUSY, leases=3, reserved_bytes=5_100_000_000, is_pinned=True
)
FAILED = ResidentModel(
    id="b", state=ModelState.FAILED, restarts=4, retry_in_s=30, reason="its process ended unexpectedly"
)
EVENTS = tuple(PoolEvent(kind="loaded", model="b", text=f"loaded b {i}", at=1.7e9 + i) for i in range(12))
POOL = PoolSnapshot(
    limit_bytes=12_000_000_000, reserved_bytes=5_100_000_000, waiting=2, models=(BUSY, FAILED), events=EVENTS
)


def printed(snapshot: PoolSnapshot, *arguments: str) -> list[str]:
    return run(Command, FakeSite(snapshot), *arguments).splitlines()


def test_it_opens_with_the_whole_pool() -> None:
    assert printed(POOL)[0].startswith("Models hold 5.1 GB of 12.0 GB; 2 waiting; pressure normal;")


def test_each_model_has_a_line_under_its_headings() -> None:
    headings, busy, failed = printed(POOL)[2:5]
    assert headings.split()[:3] == ["MODEL", "STATE", "MEMORY"]
    assert busy.split() == ["org/tiny", "busy", "5.1", "GB", "3", "0", "s", "0", "yes"]
    assert failed.endswith("its process ended unexpectedly (again in 30 s)")
    assert busy.index("busy") == failed.index("failed") == headings.index("STATE")


def test_what_running_answers_may_come_to_stands_beside_what_is_reserved() -> None:
    growing = ResidentModel(
        id="a", state=ModelState.BUSY, leases=3, reserved_bytes=10**9, kv_growth_bytes=2 * 10**9, paused=2
    )
    line = printed(PoolSnapshot(limit_bytes=1, models=(growing,)))[3]
    assert line.split() == ["a", "busy", "1.0", "GB", "3.0", "GB", "3", "2", "0", "s", "0"]


def test_the_ranks_of_a_model_are_listed_with_their_machines() -> None:
    ranks = (RankState(rank=0, pid=41), RankState(rank=1, pid=42, host="mac2"))
    shared = ResidentModel(id="a", state=ModelState.READY, ranks=ranks)
    line = printed(PoolSnapshot(limit_bytes=1, models=(shared,)))[3]
    assert line.split()[-2:] == ["41", "42@mac2"]


def test_the_last_events_follow() -> None:
    assert [line[-10:] for line in printed(POOL)[6:]] == [f"loaded b {i}"[-10:] for i in range(2, 12)]


def test_an_empty_pool_is_one_line() -> None:
    assert len(printed(PoolSnapshot(limit_bytes=1))) == 1


def test_a_name_gives_the_terminal_no_orders() -> None:
    odd = ResidentModel(id="a\x1b[2Jb", state=ModelState.READY)
    assert "a?[2Jb" in printed(PoolSnapshot(limit_bytes=1, models=(odd,)))[3]


def test_programs_get_all_of_it_as_json() -> None:
    report = json.loads("\n".join(printed(POOL, "--json")))
    assert (report["waiting"], len(report["events"]), report["models"][0]["id"]) == (2, 12, "org/tiny")
