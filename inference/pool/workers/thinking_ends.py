"""The running requests of one worker whose reasoning may be ended, and the callers that wait for that."""

import asyncio

from inference.core.requests import Request


class ThinkingEnds:
    """Requests by their numbers in frames, and the questions about them that the worker has not answered."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._waiting: dict[int, list[asyncio.Future[int]]] = {}

    def open(self, number: int, request: Request) -> None:
        """Add a request that is submitted."""
        self._requests[number] = request

    def close(self, number: int) -> None:
        """Forget a request that has ended; callers that wait for it get 0."""
        self._requests.pop(number, None)
        self.resolve(number, 0)

    def number_of(self, request: Request) -> int | None:
        """The number of this very object: two clients may ask for the same."""
        return next((number for number, one in self._requests.items() if one is request), None)

    async def wait(self, number: int) -> int:
        """In how many answers the reasoning ends, once the worker says it."""
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(number, []).append(waiting)
        return await waiting

    def resolve(self, number: int, answers: int) -> None:
        """The worker has answered for this request."""
        for waiting in self._waiting.pop(number, ()):
            if not waiting.done():
                waiting.set_result(answers)
