"""Health checks: addresses that rest or were never asked are asked for their models, every few seconds."""

import asyncio
from collections.abc import Callable, Sequence

import httpx

from inference.core.upstream import Address
from inference.upstreams import connection
from inference.upstreams.balancer import Balancer
from inference.upstreams.refusals import Unanswered

EVERY_S = 10.0


class HealthChecks:
    """Checks the addresses of one model until it is stopped. Must be made on the running loop.

    One that answers takes requests again at once. Those that answer requests are not asked.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        addresses: Callable[[], Sequence[Address]],
        balancer: Balancer,
        every_s: float = EVERY_S,
    ) -> None:
        self._client = client
        self._addresses = addresses
        self._balancer = balancer
        self._every_s = every_s
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            due = [one for one in self._addresses() if self._is_due(one)]
            await asyncio.gather(*map(self._check, due))

    def _is_due(self, address: Address) -> bool:
        health = self._balancer.health_of(address)
        return bool(health.reason) or not health.has_answered

    async def _check(self, address: Address) -> None:
        try:
            await connection.listed_models(self._client, address)
        except Unanswered as error:
            self._balancer.note_failure(address, error.reason)
        else:
            self._balancer.health_of(address).note_answer()
