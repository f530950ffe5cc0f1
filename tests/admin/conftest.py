"""A pool as the admin's pages see it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from inference.pool import Pool
from tests.fakes import FakeRunner, card, serving


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool on a loop of its own thread, as Daphne has it beside the admin's sync views."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with serving(FakeRunner(), cards=[card("tiny"), card("org/broken", problem="no weights")]) as pool:
        asyncio.run_coroutine_threadsafe(pool.warm_up(), loop).result(5)
        yield pool
        asyncio.run_coroutine_threadsafe(pool.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()
