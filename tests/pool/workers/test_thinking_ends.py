"""The callers that wait for the end of a request's reasoning."""

import asyncio

from inference.core.requests import ChatRequest
from inference.pool.workers.thinking_ends import ThinkingEnds

REQUEST, SAME = (ChatRequest(model="tiny", messages=()) for _ in range(2))


def test_a_request_is_found_by_itself_and_not_by_an_equal_one() -> None:
    ends = ThinkingEnds()
    ends.open(7, REQUEST)
    assert REQUEST == SAME
    assert (ends.number_of(REQUEST), ends.number_of(SAME)) == (7, None)
    ends.close(7)
    assert ends.number_of(REQUEST) is None


async def test_every_caller_gets_the_answer_of_the_worker() -> None:
    ends = ThinkingEnds()
    ends.open(7, REQUEST)
    callers = [asyncio.create_task(ends.wait(7)) for _ in range(2)]
    other = asyncio.create_task(ends.wait(8))
    await asyncio.sleep(0)
    ends.resolve(7, 2)
    assert await asyncio.gather(*callers) == [2, 2]
    ends.close(8)
    assert await other == 0


async def test_a_caller_that_has_left_does_not_keep_the_others_from_it() -> None:
    ends = ThinkingEnds()
    gone, there = (asyncio.create_task(ends.wait(7)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    ends.resolve(7, 1)
    assert await there == 1
