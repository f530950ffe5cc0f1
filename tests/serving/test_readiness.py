"""What keeps the server from serving a request."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from inference.core import disk_space
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.serving.readiness import Readiness, pool_problems
from tests.each import each
from tests.fakes import FakeRunner, serving
from tests.postgres import on_sqlite

READY = ResidentModel(id="a", state=ModelState.READY)
LATE = ResidentModel(id="b", state=ModelState.BUSY, is_late=True)


@each(
    ("pool", "problems"),
    [
        (PoolSnapshot(limit_bytes=1), 0),
        (PoolSnapshot(limit_bytes=1, models=(READY,), is_spare_ready=True), 0),
        (PoolSnapshot(limit_bytes=1, pressure="evicting"), 0),
        (PoolSnapshot(limit_bytes=1, pressure="refusing"), 1),
        (PoolSnapshot(limit_bytes=1, models=(READY, LATE)), 1),
        (PoolSnapshot(limit_bytes=1, has_spare_failed=True), 1),
        (PoolSnapshot(limit_bytes=1, has_spare_failed=True, models=(READY,)), 0),
        (PoolSnapshot(limit_bytes=1, has_spare_failed=True, models=(LATE,), pressure="refusing"), 2),
    ],
)
def test_the_pool_has_these_problems(pool: PoolSnapshot, problems: int) -> None:
    assert len(list(pool_problems(pool))) == problems


@pytest.mark.django_db(transaction=True)
async def test_nothing_is_wrong_with_a_site_that_has_just_started() -> None:
    with serving(FakeRunner()):
        assert await Readiness().problems() == ()


@pytest.mark.django_db(transaction=True)
async def test_a_pool_that_drains_or_closes_is_a_problem() -> None:
    for end in ("drain", "close"):
        with serving(FakeRunner()) as pool:
            pool.drain() if end == "drain" else await pool.close()
            assert await Readiness().problems() == ("the server is shutting down",)


@pytest.mark.django_db(transaction=True)
async def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
    with serving(FakeRunner()):
        (problem,) = await Readiness().problems()
    assert "disk" in problem


def nothing(path: Path) -> None:
    path.unlink(missing_ok=True)


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 500)


def folder(path: Path) -> None:
    path.mkdir()


@on_sqlite  # a server that is gone is in tests/e2e/test_postgres.py
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [nothing, garbage, folder])
async def test_a_database_that_is_lost_is_a_problem(
    make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "site.sqlite3"
    make(path)  # type: ignore[operator]
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", path)
    monkeypatch.setitem(connection.settings_dict, "NAME", path)
    with serving(FakeRunner()):
        (problem,) = await Readiness().problems()
    assert "database" in problem and str(tmp_path) not in problem


@pytest.mark.django_db(transaction=True)
async def test_a_result_is_kept_for_a_moment_and_the_pool_is_looked_at_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readiness = Readiness()
    with serving(FakeRunner()) as pool:
        assert await readiness.problems() == ()
        monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
        assert await readiness.problems() == ()
        pool.drain()
        assert await readiness.problems() == ("the server is shutting down",)
