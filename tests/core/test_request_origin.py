"""The origin of a request is that of its own context."""

import asyncio
from contextvars import Context

from inference.core import request_origin


def test_outside_of_a_request_it_is_empty() -> None:
    origin = Context().run(request_origin.current)  # that of this process may be in a request of other tests
    assert (origin.dialect, origin.noted) == ("", "")


async def test_each_request_has_its_own_and_its_tasks_share_it() -> None:
    async def served(dialect: str) -> str:
        request_origin.begin(dialect)
        origin = request_origin.current()

        async def accept() -> None:
            request_origin.current().noted = f"by {dialect}"

        await asyncio.create_task(accept())
        return f"{origin.dialect} {origin.noted}"

    made = await asyncio.gather(*(asyncio.create_task(served(name)) for name in ("a", "b")))
    assert made == ["a by a", "b by b"]
