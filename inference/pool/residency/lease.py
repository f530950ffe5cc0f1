"""A lease of one model, from the queue to the last token."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from inference.core.events import Progress
from inference.core.model_card import LoraCard, ModelCard
from inference.core.requests import Lora, Sampling
from inference.pool.residency.resident import Resident, Stream
from inference.pool.workers.runner import Runner

_PROGRESS_EVERY_S = 0.2


@dataclass(eq=False)
class PendingLease:
    """One request in the queue for a model; `tokens` is None for an operator's load."""

    card: ModelCard
    granted: "asyncio.Future[Resident]"
    since: float
    tokens: int | None = 0
    lora: LoraCard | None = None  # the adapter of the model that it is for
    held_bytes: int = 0  # once granted: reserved for its KV cache
    stream: Stream | None = None  # once granted, while it runs
    number: int = field(default_factory=itertools.count(1).__next__)  # in the order in which they came
    overtaken_s: float = 0.0  # how long later ones alone have kept it waiting
    is_overtaken: bool = False  # whether they do now

    @property
    def is_request(self) -> bool:
        """Whether it is a request, and not an operator's load, which keeps no one waiting."""
        return self.tokens is not None

    @property
    def kv_tokens(self) -> int:
        return self.tokens or 0

    @property
    def resident(self) -> Resident | None:
        """The model whose lease it holds; None while it waits and after it failed or was cancelled."""
        is_granted = self.granted.done() and not self.granted.cancelled() and not self.granted.exception()
        return self.granted.result() if is_granted and self.tokens is not None else None

    def grant(self, resident: Resident, now: float) -> None:
        """Count the lease and its bytes on the model."""
        if self.tokens is None:
            return
        self.stream = Stream(self.number, now)
        self.held_bytes = self.tokens * resident.kv_per_token
        resident.streams.append(self.stream)
        resident.kv_reserved += self.held_bytes
        resident.lease_lora(self.lora)

    def correct(self, tokens: int) -> None:
        """Replace the estimate by the exact number of tokens."""
        if resident := self.resident:
            exact = tokens * resident.kv_per_token
            resident.kv_reserved += exact - self.held_bytes
            self.held_bytes = exact

    def release(self, now: float) -> Resident | None:
        """End the lease and return its model, None if it was never granted.

        Its bytes stay counted until the worker's next memory report.
        """
        resident, stream = self.resident, self.stream
        if resident and stream:
            resident.streams.remove(stream)
            self.stream = None
            resident.release_lora(self.lora)
            resident.kv_reserved -= self.held_bytes
            resident.unsettled += self.held_bytes
            resident.is_settled = False
            resident.last_used = now
        return resident


class LeaseIssuer(Protocol):
    """Grants leases and takes them back: the pool."""

    async def join(self, model_id: str, tokens: int | None = 0, kind: str = "") -> PendingLease: ...

    def leave(self, pending: PendingLease) -> None: ...

    def correct(self, pending: PendingLease, tokens: int) -> None: ...

    def progress_of(self, pending: PendingLease) -> Progress: ...


class Lease:
    """`async with pool.lease(id) as lease`: follow `progress()` to its end, then use `runner`."""

    def __init__(self, pool: LeaseIssuer, model_id: str, tokens: int, kind: str = "") -> None:
        self._pool = pool
        self._model_id = model_id
        self._tokens = tokens
        self._kind = kind
        self._pending: PendingLease | None = None

    async def __aenter__(self) -> Self:
        self._pending = await self._pool.join(self._model_id, self._tokens, self._kind)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pending:
            self._pool.leave(self._pending)

    async def progress(self) -> AsyncIterator[Progress]:
        """Yield what the request waits for, each time it changes, until the lease is granted.

        Raises ModelLoadFailed, ShuttingDown, AllPinned, or PoolFull when no memory became free in time.
        """
        pending = self._entered()
        last: Progress | None = None
        while not pending.granted.done():
            now = self._pool.progress_of(pending)
            if now != last:
                yield now
            last = now
            await asyncio.wait([pending.granted], timeout=_PROGRESS_EVERY_S)
        pending.granted.result()

    def correct(self, tokens: int) -> None:
        """Correct the reservation: prompt and answer take at most `tokens` tokens."""
        self._pool.correct(self._entered(), tokens)

    @property
    def runner(self) -> Runner:
        return self._entered().granted.result().runner

    @property
    def sampling(self) -> Sampling:
        """The operator's default sampling for requests that set none."""
        return self._entered().granted.result().card.sampling

    @property
    def lora(self) -> Lora | None:
        """The adapter that the requested id names, as it was found when the request came."""
        found = self._entered().lora
        return found.lora if found else None

    def _entered(self) -> PendingLease:
        if not self._pending:
            raise RuntimeError("enter the lease first")
        return self._pending
