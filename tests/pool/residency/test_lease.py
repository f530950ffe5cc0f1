"""The bytes that a lease reserves on its model."""

import asyncio

import pytest

from inference.core.pool_state import ModelState
from inference.pool.residency.lease import Lease, PendingLease
from inference.pool.residency.resident import Resident
from tests.fakes import FakeRunner, card, fake_pool


def resident() -> Resident:
    made = Resident(card("a"), FakeRunner(), last_used=0.0)
    made.state, made.kv_per_token = ModelState.READY, 2
    return made


async def pending(tokens: int | None) -> PendingLease:
    return PendingLease(card("a"), asyncio.get_running_loop().create_future(), since=0.0, tokens=tokens)


async def test_its_bytes_stay_counted_until_the_next_report() -> None:
    model, lease = resident(), await pending(10)
    lease.grant(model, now=1.0)
    lease.granted.set_result(model)
    assert (model.leases, model.kv_reserved) == (1, 20)
    lease.correct(4)
    assert (lease.held_bytes, model.kv_reserved) == (8, 8)
    assert lease.release(now=3.0) is model
    assert (model.leases, model.kv_reserved, model.unsettled, model.last_used) == (0, 0, 8, 3.0)
    assert not model.is_settled


async def test_it_is_released_once() -> None:
    model, lease = resident(), await pending(10)
    lease.grant(model, now=1.0)
    lease.granted.set_result(model)
    lease.release(now=3.0)
    lease.release(now=4.0)
    assert (model.unsettled, model.last_used) == (20, 3.0)


async def test_a_load_of_an_operator_reserves_nothing() -> None:
    model, load = resident(), await pending(None)
    load.grant(model, now=1.0)
    load.granted.set_result(model)
    assert (model.leases, model.kv_reserved, load.is_request) == (0, 0, False)
    assert load.release(now=3.0) is None


async def test_one_that_failed_or_was_cancelled_has_no_model() -> None:
    failed, cancelled = await pending(1), await pending(1)
    failed.granted.set_exception(LookupError("failed"))
    cancelled.granted.cancel()
    assert (failed.resident, cancelled.resident) == (None, None)


async def test_a_lease_has_to_be_entered_first() -> None:
    with pytest.raises(RuntimeError, match="enter the lease first"):
        _ = Lease(fake_pool([]).admission, "tiny", 1).runner
