"""Which request of a worker may grow how far, and what it is told."""

from inference.core.protocol import CutShort, Grant, GrowthWanted, Pause
from inference.pool.workers.growths import Growth, Growths, Order
from tests.pool.worker_models import chat


def wanted(number: int, wish: int, *, is_paused: bool = False) -> GrowthWanted:
    return GrowthWanted(
        id=number, wish=wish, tokens=9, made=3, answers=1, prompt_tokens=5, is_paused=is_paused
    )


def test_only_the_request_that_was_announced_is_limited() -> None:
    growths, request = Growths(lambda order: None), chat()
    growths.announce(request, growth := Growth(5, 10, lambda wanted: None))
    assert growths.open(1, chat()) == {}
    assert growths.open(2, request) == {"tokens": 5, "kv_tokens": 10}
    assert growths.open(3, request) == {} and growth.orders


def test_orders_carry_its_number_and_answer_its_latest_wish() -> None:
    sent: list[Order] = []
    growths, request = Growths(sent.append), chat()
    wishes: list[GrowthWanted] = []
    growths.announce(request, growth := Growth(5, 10, wishes.append))
    growths.open(7, request)
    growths.note(wanted(7, 1))
    growths.note(wanted(7, 2))
    assert growth.orders and [one.wish for one in wishes] == [1, 2]
    growth.orders.grant(9)
    growth.orders.pause()
    growth.orders.cut_short()
    assert sent == [Grant(id=7, wish=2, tokens=9), Pause(id=7), CutShort(id=7)]


def test_a_paused_request_keeps_no_worker_busy_until_it_goes_on() -> None:
    growths, request = Growths(lambda order: None), chat()
    growths.announce(request, growth := Growth(5, 10, lambda wanted: None))
    growths.open(7, request)
    assert growths.paused == 0
    growths.note(wanted(7, 1, is_paused=True))
    assert growths.paused == 1
    assert growth.orders
    growth.orders.grant(9)
    assert growths.paused == 0


def test_a_request_that_has_ended_wants_nothing() -> None:
    wishes: list[GrowthWanted] = []
    growths, request = Growths(lambda order: None), chat()
    growths.announce(request, growth := Growth(5, 10, wishes.append))
    growths.open(7, request)
    growths.close(7)
    growths.note(wanted(7, 1, is_paused=True))
    assert (growth.orders, wishes, growths.paused) == (None, [], 0)
