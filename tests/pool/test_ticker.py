"""The pool's clock."""

import asyncio
from typing import Any

from inference.pool import ticker
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.ticker import Ticker


def nothing() -> None:
    return None


async def test_many_changes_are_one_dispatch() -> None:
    calls: list[str] = []
    made = Ticker(BackgroundTasks(), tick=nothing, dispatch=lambda: calls.append("dispatch"))
    made.request_dispatch()
    made.request_dispatch()
    assert calls == []
    await asyncio.sleep(0)
    assert calls == ["dispatch"]
    made.request_dispatch()
    await asyncio.sleep(0)
    assert calls == ["dispatch"] * 2


async def test_it_goes_on_after_a_tick_that_failed(monkeypatch: Any) -> None:
    monkeypatch.setattr(ticker, "_TICK_S", 0.001)
    ticks, is_second = [0], asyncio.Event()

    def tick() -> None:
        ticks[0] += 1
        if ticks[0] == 1:
            raise RuntimeError("once")
        is_second.set()

    tasks = BackgroundTasks()
    made = Ticker(tasks, tick=tick, dispatch=nothing)
    made.begin()
    made.begin()  # it ticks already
    await asyncio.wait_for(is_second.wait(), 5)
    made.stop()
    await tasks.cancel()
    seen = ticks[0]
    await asyncio.sleep(0.01)
    assert ticks[0] == seen
