"""A lease of one model, from the queue to the last token."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from inference.core.events import Progress
from inference.core.model_card import LoraCard, ModelCard
from inference.core.profile import Profile
from inference.core.requests import Lora, Request, Sampling
from inference.pool.residency.answer_growth import AnswerGrowth, Answers
from inference.pool.residency.resident import Resident, Stream
from inference.pool.workers.runner import Runner

_PROGRESS_EVERY_S = 0.2


@dataclass(eq=False)
class PendingLease:
    """One request in the queue for a model; `tokens` is None for an operator's load.

    Those are of the prompts; `answers` come on top, each with `first_tokens` until it grows. `spare_tokens`
    are reserved for each prompt beyond its estimate, until its worker has counted.
    """

    card: ModelCard
    granted: "asyncio.Future[Resident]"
    since: float
    tokens: int | None = 0
    lora: LoraCard | None = None  # the adapter of the model that it is for
    answers: Answers | None = None
    first_tokens: int = 0
    spare_tokens: int = 0
    profile: Profile | None = None  # of the model, that it is for
    held_tokens: int = 0  # once granted: reserved in its KV caches
    held_bytes: int = 0  # the same in bytes
    ceiling_bytes: int = 0  # once accepted: of its KV caches, if its answers become as long as they may
    growth: AnswerGrowth | None = None  # once granted, of a request with answers
    stream: Stream | None = None  # once granted, while it runs
    share: str = ""  # the account whose share of the streams it counts for
    number: int = field(default_factory=itertools.count(1).__next__)  # in the order in which they came
    turn: int = 0  # when its turn in the queue began (scheduling/fair_queue.py)
    overtaken_by: set[int] = field(default_factory=set)  # the numbers of those that were granted out of turn
    overtaken_s: float = 0.0  # how long later ones alone have kept it waiting
    is_overtaken: bool = False  # whether they do now

    @property
    def is_request(self) -> bool:
        """Whether it is a request, and not an operator's load, which keeps no one waiting."""
        return self.tokens is not None

    @property
    def weight(self) -> int:
        """How many sequences it computes."""
        return self.answers.count if self.answers else 1

    @property
    def kv_tokens(self) -> int:
        """Tokens that are reserved at first."""
        return self.tokens_with(self.first_tokens, self.spare_tokens)

    @property
    def least_tokens(self) -> int:
        """Tokens without which it cannot begin."""
        return self.tokens_with(1)

    def tokens_with(self, each: int, spare: int = 0) -> int:
        """Tokens of its prompts and of answers with so many each; no sequence exceeds the context."""
        if not self.answers:
            return min(self.tokens or 0, self.card.context_length)
        whole = (self.tokens or 0) + self.answers.count * spare + self.answers.tokens(each)
        return min(whole, self.answers.count * self.card.context_length)

    @property
    def resident(self) -> Resident | None:
        """The model whose lease it holds; None while it waits and after it failed or was cancelled."""
        is_granted = self.granted.done() and not self.granted.cancelled() and not self.granted.exception()
        return self.granted.result() if is_granted and self.tokens is not None else None

    def grant(self, resident: Resident, now: float) -> None:
        """Count the lease and its bytes on the model."""
        if self.tokens is None:
            return
        self.stream = Stream(self.number, now, self.share, self.weight)
        resident.streams.append(self.stream)
        self._hold(resident, self.kv_tokens)
        resident.lease_lora(self.lora)

    def correct(self, tokens: int) -> None:
        """Replace the estimate by the exact number of tokens."""
        if resident := self.resident:
            self._hold(resident, tokens)

    def accept(self, prompt_tokens: int, most_tokens: int) -> None:
        """Correct the estimate of its prompts, and of the answers that become `most_tokens` long at most.

        It never reserves more: a worker that needs more asks for it before it computes anything.
        """
        if not (self.growth and self.answers and (resident := self.resident)):
            self.correct(prompt_tokens + most_tokens)
            return
        exact = prompt_tokens + min(most_tokens, self.answers.count * self.growth.tokens)
        if self.growth.state == "running":
            left = (self.held_tokens - prompt_tokens) // self.answers.count
            self.growth.growth.tokens = min(self.growth.tokens, max(1, left))  # its worker begins with these
            self._hold(resident, min(self.held_tokens, exact))
        self._set_ceiling(resident, (prompt_tokens + most_tokens) * resident.kv_per_token)

    def allow(self, tokens: int, now: float) -> None:
        """Grant what its answers want, up to `tokens` each, and let it go on if it was paused."""
        growth, resident = self.growth, self.resident
        if not (growth and growth.wanted and resident):
            return
        self._hold(resident, growth.wanted.kv_tokens(tokens))
        if growth.state == "paused" and self.stream:
            resident.paused -= 1
            later = replace(self.stream, granted_at=self.stream.granted_at + now - growth.paused_at)
            resident.streams[resident.streams.index(self.stream)] = self.stream = later
        growth.grant(tokens)

    def ask_to_pause(self) -> None:
        """Have it give up its KV caches; its bytes are counted until it has."""
        if self.growth and (resident := self.resident):
            self.growth.pause()
            resident.kv_pausing += self.held_bytes

    def note_pause(self, now: float) -> None:
        """Give back its bytes: its worker has given up its KV caches, which may have become prefixes."""
        growth, resident = self.growth, self.resident
        if not (growth and resident) or growth.state in ("paused", "ending"):
            return
        self._stop_pausing(resident)
        growth.state, growth.paused_at = "paused", now
        resident.paused += 1
        self._settle_later(resident)

    def cut_short(self) -> None:
        """End its answers where they are."""
        if self.growth and (resident := self.resident):
            resident.paused -= self.growth.state == "paused"
            self.growth.cut_short()

    def release(self, now: float) -> Resident | None:
        """End the lease and return its model, None if it was never granted.

        Its bytes stay counted until the worker's next memory report.
        """
        resident, stream = self.resident, self.stream
        if resident and stream:
            resident.streams.remove(stream)
            self.stream = None
            resident.release_lora(self.lora)
            self._stop_pausing(resident)
            resident.paused -= self.growth is not None and self.growth.state == "paused"
            self._set_ceiling(resident, 0)
            self._settle_later(resident)
            resident.last_used = now
        return resident

    def _hold(self, resident: Resident, tokens: int) -> None:
        exact = tokens * resident.kv_per_token
        resident.kv_reserved += exact - self.held_bytes
        if self.growth and self.growth.state == "pausing":
            resident.kv_pausing += exact - self.held_bytes
        self.held_tokens, self.held_bytes = tokens, exact

    def _settle_later(self, resident: Resident) -> None:
        resident.unsettled += self.held_bytes
        resident.is_settled = resident.card.is_remote  # it has no memory to report
        self._hold(resident, 0)

    def _stop_pausing(self, resident: Resident) -> None:
        if self.growth and self.growth.state == "pausing":
            resident.kv_pausing -= self.held_bytes
            self.growth.state = "running"

    def _set_ceiling(self, resident: Resident, ceiling: int) -> None:
        resident.kv_ceiling += ceiling - self.ceiling_bytes
        self.ceiling_bytes = ceiling


class LeaseIssuer(Protocol):
    """Grants leases and takes them back: the pool."""

    async def join(
        self,
        model_id: str,
        tokens: int | None = 0,
        kind: str = "",
        answers: Answers | None = None,
        share: str = "",
    ) -> PendingLease: ...

    def leave(self, pending: PendingLease) -> None: ...

    def accept(self, pending: PendingLease, prompt_tokens: int, most_tokens: int) -> None: ...

    def note_length(self, pending: PendingLease, tokens: int) -> None: ...

    def progress_of(self, pending: PendingLease) -> Progress: ...


class Lease:
    """`async with pool.lease(id) as lease`: follow `progress()` to its end, then use `runner`."""

    def __init__(
        self,
        pool: LeaseIssuer,
        model_id: str,
        tokens: int,
        kind: str = "",
        answers: Answers | None = None,
        share: str = "",
    ) -> None:
        self._pool = pool
        self._model_id = model_id
        self._tokens = tokens
        self._kind = kind
        self._answers = answers
        self._share = share
        self._pending: PendingLease | None = None

    async def __aenter__(self) -> Self:
        self._pending = await self._pool.join(
            self._model_id, self._tokens, self._kind, self._answers, self._share
        )
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

    def limit(self, request: Request) -> None:
        """Have the answers of `request`, which is submitted next, grow only as far as memory is reserved."""
        growth = self._entered().growth
        if growth:
            self.runner.limit_growth(request, growth.growth)

    def accept(self, prompt_tokens: int, most_tokens: int) -> None:
        """Correct the reservation: so many tokens have the prompts, and at most so many the answers."""
        self._pool.accept(self._entered(), prompt_tokens, most_tokens)

    def note_length(self, tokens: int) -> None:
        """Count an answer of so many tokens, which has ended, for the estimates of later ones."""
        self._pool.note_length(self._entered(), tokens)

    @property
    def runner(self) -> Runner:
        return self._entered().granted.result().runner

    @property
    def card(self) -> ModelCard:
        """The model, with its adapter."""
        pending = self._entered()
        return pending.card.with_lora(pending.lora)

    @property
    def sampling(self) -> Sampling:
        """The operator's default sampling for requests that set none."""
        return self._entered().granted.result().card.sampling

    @property
    def lora(self) -> Lora | None:
        """The adapter that the requested id names, as it was found when the request came."""
        found = self._entered().lora
        return found.lora if found else None

    @property
    def profile(self) -> Profile | None:
        """The profile that the requested id names, as it was when the request came."""
        return self._entered().profile

    def _entered(self) -> PendingLease:
        if not self._pending:
            raise RuntimeError("enter the lease first")
        return self._pending
