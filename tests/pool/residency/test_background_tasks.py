"""The asyncio tasks of the pool."""

import asyncio

from inference.core import request_id
from inference.pool.residency.background_tasks import BackgroundTasks


async def test_a_task_runs_without_another_reference() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    BackgroundTasks().spawn(work())
    await asyncio.wait_for(done.wait(), 5)


async def test_cancel_waits_for_all_of_them_whatever_they_raise() -> None:
    ended: list[str] = []

    async def clean_up() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned")

    async def break_off() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("broken")
            raise RuntimeError("while it was cancelled")

    tasks = BackgroundTasks()
    tasks.spawn(clean_up())
    tasks.spawn(break_off())
    await asyncio.sleep(0)
    await tasks.cancel()
    assert sorted(ended) == ["broken", "cleaned"]


async def test_a_task_does_not_pass_for_a_part_of_the_request_that_started_it() -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append(request_id.current())

    request_id.begin("trace-1")
    await BackgroundTasks().spawn(look())
    assert seen == [""]
