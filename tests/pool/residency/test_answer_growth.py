"""The answers of one request, and what is granted to them."""

import asyncio

from inference.core.pool_state import ModelState
from inference.core.protocol import CutShort, Grant, GrowthWanted, Pause
from inference.pool.residency.answer_growth import AnswerGrowth, Answers
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident
from inference.pool.workers.growths import Growth, GrowthOrders, Order
from tests.each import each
from tests.fakes import FakeRunner, card

MB = 10**6


@each(
    ("answers", "tokens"), [(Answers(1), 512), (Answers(3), 1536), (Answers(2, 100), 200), (Answers(1, 0), 0)]
)
def test_no_answer_counts_for_more_than_it_may_have(answers: Answers, tokens: int) -> None:
    assert answers.tokens(512) == tokens


def wanted(tokens: int, *, made: int = 0, is_paused: bool = False) -> GrowthWanted:
    return GrowthWanted(
        id=1, wish=1, tokens=tokens, made=made, answers=2, prompt_tokens=20, is_paused=is_paused
    )


def granted() -> tuple[PendingLease, Resident, list[Order]]:
    """A lease of two answers to a prompt of ten tokens, a megabyte each, and the orders that it sends."""
    resident = Resident(card("a"), FakeRunner(), last_used=0.0, state=ModelState.READY, kv_per_token=MB)
    future: asyncio.Future[Resident] = asyncio.get_running_loop().create_future()
    lease = PendingLease(card("a"), future, since=0.0, tokens=40, answers=Answers(2, 1000), first_tokens=50)
    lease.grant(resident, 1.0)
    orders: list[Order] = []
    growth = Growth(50, lease.held_tokens, lambda wanted: None, GrowthOrders(1, orders.append))
    lease.growth = AnswerGrowth(growth)
    future.set_result(resident)
    return lease, resident, orders


async def test_what_was_estimated_too_high_is_given_back_and_never_the_other_way_round() -> None:
    lease, resident, _ = granted()
    assert resident.kv_reserved == 140 * MB
    lease.accept(20, 2000)
    assert (resident.kv_reserved, resident.kv_ceiling) == (120 * MB, 2020 * MB)
    lease.accept(900, 2000)
    assert resident.kv_reserved == 120 * MB


async def test_a_grant_reserves_its_bytes_and_is_sent() -> None:
    lease, resident, orders = granted()
    assert lease.growth
    lease.growth.wanted = wanted(300)
    lease.allow(300, 2.0)
    assert (resident.kv_reserved, lease.growth.tokens) == (620 * MB, 300)
    assert orders == [Grant(id=1, wish=0, tokens=300)]


async def test_a_paused_lease_holds_nothing_and_its_time_stands_still() -> None:
    lease, resident, orders = granted()
    lease.ask_to_pause()
    assert (resident.kv_pausing, resident.coming_free, orders) == (140 * MB, 140 * MB, [Pause(id=1)])
    lease.note_pause(5.0)
    assert (resident.kv_reserved, resident.unsettled, resident.kv_pausing) == (0, 140 * MB, 0)
    assert (resident.paused, resident.as_model(6.0).paused, resident.is_settled) == (1, 1, False)
    assert lease.growth
    lease.growth.wanted = wanted(60, made=30, is_paused=True)
    lease.allow(60, 15.0)
    assert (resident.paused, resident.kv_reserved, resident.streams[0].granted_at) == (0, 140 * MB, 11.0)
    lease.release(20.0)
    assert (resident.kv_reserved, resident.leases, resident.kv_ceiling) == (0, 0, 0)


@each("states", [["pausing"], ["pausing", "paused"], ["pausing", "paused", "ending"]])
async def test_a_lease_that_ends_in_any_state_leaves_nothing_behind(states: list[str]) -> None:
    lease, resident, orders = granted()
    lease.accept(20, 2000)
    lease.ask_to_pause()
    if "paused" in states:
        lease.note_pause(5.0)
    if "ending" in states:
        lease.cut_short()
        assert orders[-1] == CutShort(id=1)
    lease.release(6.0)
    assert (resident.kv_reserved, resident.kv_pausing, resident.paused, resident.kv_ceiling) == (0, 0, 0, 0)
