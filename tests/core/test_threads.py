"""Work on threads: each kind has its own, so that one which waits holds up no other."""

import asyncio
import contextvars
import threading

import pytest

from inference.core.threads import CATALOG, DATABASE, Threads


async def test_it_returns_what_the_work_returns_and_raises_what_it_raises() -> None:
    threads = Threads("test", 1)
    assert await threads.run(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)


async def test_the_work_sees_the_context_of_its_caller() -> None:
    caller = contextvars.ContextVar("caller", default="nobody")
    caller.set("ann")
    assert await Threads("test", 1).run(caller.get) == "ann"


async def test_one_kind_that_waits_holds_up_no_other() -> None:
    is_unlocked = threading.Event()
    waiting = [asyncio.create_task(DATABASE.run(is_unlocked.wait, 10)) for _ in range(100)]
    await asyncio.sleep(0.01)
    try:
        async with asyncio.timeout(5):
            assert await CATALOG.run(str.upper, "now") == "NOW"
            assert await asyncio.to_thread(str.upper, "now") == "NOW"
    finally:
        is_unlocked.set()
        await asyncio.gather(*waiting)


async def test_there_are_no_more_threads_than_it_was_given() -> None:
    threads, names = Threads("few", 2), set()
    await asyncio.gather(
        *(threads.run(lambda: names.add(threading.current_thread().name)) for _ in range(50))
    )
    assert 1 <= len(names) <= 2
