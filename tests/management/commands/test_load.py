from typing import Any

import pytest
from django.core.management import CommandError

from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.management.commands.load import Command
from tests.management.fake_site import FakeSite, run


def pool(
    state: ModelState, *, waiting: int = 0, percent: int = 0, reason: str = "", phase: Any = ""
) -> PoolSnapshot:
    model = ResidentModel(
        id="tiny", state=state, loaded_percent=percent, load_phase=phase, reason=reason, load_s=1.5
    )
    return PoolSnapshot(limit_bytes=1, waiting=waiting, models=(model,))


def test_it_reports_each_step_until_the_model_is_ready() -> None:
    nothing = PoolSnapshot(limit_bytes=1, waiting=1)
    loading = [pool(ModelState.LOADING, percent=percent) for percent in (0, 40, 40)]
    loading += [pool(ModelState.LOADING, percent=100, phase="verifying")]
    printed = run(Command, FakeSite(nothing, nothing, *loading, pool(ModelState.READY)), "tiny")
    assert printed.splitlines() == [
        "tiny: waiting for memory",
        "tiny: loading 0 %",
        "tiny: loading 40 %",
        "tiny: loading 100 %, verifying batch support",
        "tiny is ready (1.5 s).",
    ]


def test_a_load_that_fails_is_an_error_with_its_reason() -> None:
    failed = pool(ModelState.FAILED, reason="it has no weights")
    with pytest.raises(CommandError, match="tiny was not loaded: it has no weights."):
        run(Command, FakeSite(pool(ModelState.LOADING), failed), "tiny")


def test_a_load_that_vanishes_is_an_error() -> None:
    with pytest.raises(CommandError, match="tiny was not loaded"):
        run(Command, FakeSite(pool(ModelState.LOADING), PoolSnapshot(limit_bytes=1)), "tiny")


def test_without_waiting_it_only_begins() -> None:
    site = FakeSite(pool(ModelState.LOADING))
    assert run(Command, site, "tiny", "--no-wait") == "tiny is loading.\n"
    assert site.asked == [("load", "tiny")]


@pytest.mark.parametrize("state", [ModelState.READY, ModelState.BUSY])
def test_a_model_that_is_there_already_needs_no_wait(state: ModelState) -> None:
    assert run(Command, FakeSite(pool(state)), "tiny") == "tiny is ready (1.5 s).\n"
