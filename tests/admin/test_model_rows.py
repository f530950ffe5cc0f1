"""The rows of the admin's list of models."""

from inference.admin.model_rows import row, rows
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from tests.fakes import GB, card

OFF = card("off", problem="an operator has switched it off", is_enabled=False)


def test_every_model_on_disk_or_in_the_pool_has_one() -> None:
    leaving = ResidentModel(id="leaving", state=ModelState.DRAINING, reserved_bytes=2 * GB, leases=1)
    shown = rows([card("tiny"), OFF], PoolSnapshot(limit_bytes=GB, models=(leaving,)))
    assert [(one.id, one.state, one.memory, one.streams) for one in shown] == [
        ("leaving", "draining", "2.0 GB", 1),
        ("off", "disabled", "–", 0),
        ("tiny", "unloaded", "needs 1.0 GB", 0),
    ]


def test_a_model_that_is_nowhere_is_missing() -> None:
    gone = row("gone", None, ResidentModel(id="gone", state=ModelState.UNLOADED))
    assert gone.state == "missing: its folder does not exist"
