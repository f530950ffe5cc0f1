"""Answers of unknown length under one limit, whatever comes: nobody starves, and the limit holds."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.core.errors import ServerError
from inference.core.pool_state import ModelState
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import PendingLease
from tests.fakes import FakeRunner, card
from tests.nightly import IS_NIGHTLY
from tests.pool.growing_worker import GrowingRunner, Job
from tests.pool.scene import Scene, is_granted

pytestmark = pytest.mark.mlx
SIZES = {"a": 400, "b": 700, "c": 1000}
CONTEXT = 4000
TOKENS_A_STEP = 40


@dataclass(frozen=True)
class Asked:
    """One request; its prompt is estimated with an error, and its client may leave."""

    at: int
    model: str
    prompt: int
    estimate: float
    answers: int
    length: int
    ceiling: int | None
    leaves_at: int | None
    share: str

    @property
    def most(self) -> int:
        left = CONTEXT - self.prompt
        return left if self.ceiling is None else min(left, self.ceiling)

    @property
    def needed(self) -> int:
        """Tokens in its KV caches at the end, and at the end of its last slice."""
        return self.answers * (self.prompt + min(self.length, self.most))


asked = st.builds(
    Asked,
    at=st.integers(0, 60),
    model=st.sampled_from("abc"),
    prompt=st.integers(1, 900),
    estimate=st.sampled_from([0.5, 1.0, 1.3]),
    answers=st.sampled_from([1, 1, 1, 2]),
    length=st.integers(1, 1500),
    ceiling=st.sampled_from([None, 32_000, 300]),
    leaves_at=st.sampled_from([None, None, None, 20, 50]),
    share=st.sampled_from("xxy"),
)


@dataclass(frozen=True)
class Work:
    """Work beside the models, which takes memory from a step on for a while, if that is free."""

    at: int
    lasts: int
    bytes: int


work = st.builds(Work, at=st.integers(0, 60), lasts=st.integers(1, 150), bytes=st.integers(50, 900))


class Run:
    """One run, step by step; a second passes at every tenth."""

    def __init__(self, requests: list[Asked], limit: int, seed: int, works: Sequence[Work] = ()) -> None:
        self._works = works
        self._requests = sorted(requests, key=lambda one: one.at)
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable order of frames
        self.limit = limit
        self.workers: list[GrowingRunner] = []
        cards = [
            card(name, resident_bytes=size, kv_bytes_per_token=1, context_length=CONTEXT)
            for name, size in SIZES.items()
        ]
        self.scene = Scene(
            *cards, limit_bytes=limit, queue_limit=1000, wait_limit_s=1e9, start_runner=self._start
        )
        self.waiting: dict[Asked, list[PendingLease]] = {}
        self.running: dict[int, tuple[Asked, Job, GrowingRunner]] = {}
        self.ended: list[tuple[Asked, Job]] = []
        self.refused: list[Asked] = []
        self.has_left = False

    def _start(self) -> FakeRunner:
        self.workers.append(Sized(self._chance))
        return self.workers[-1]

    async def run(self) -> None:
        steps = 0
        left = list(self._requests)
        pending: list[tuple[Asked, PendingLease]] = []
        while left or pending or self.running:
            steps += 1
            assert steps < 3000, "nobody may wait for ever"
            while left and left[0].at <= steps:
                one = left.pop(0)
                if lease := await self._join(one):
                    pending.append((one, lease))
            for one, lease in list(pending):
                if lease.granted.done():
                    pending.remove((one, lease))
                    self._begin(one, lease)
            for worker in list(self.workers):
                for job in worker.step(TOKENS_A_STEP):
                    self._end(job)
            self._leave(steps)
            await self._work(steps)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if steps % 10 == 0:
                await self.scene.pass_s(1)
            self._check()
        for _ in range(20):
            for worker in self.workers:
                worker.step(0)
            await self.scene.pass_s(1)

    async def _join(self, one: Asked) -> PendingLease | None:
        answers = Answers(one.answers, one.ceiling)
        estimate = int(one.prompt * one.estimate) * one.answers
        try:
            return await self.scene.pool.admission.join(one.model, estimate, "chat", answers, one.share)
        except ServerError:
            self.refused.append(one)
            return None

    def _begin(self, one: Asked, lease: PendingLease) -> None:
        if not is_granted(lease):
            self.refused.append(one)
            return
        assert lease.resident
        worker: Any = lease.resident.runner
        job = worker.begin(lease, one.prompt, one.most, [one.length] * one.answers)
        self.running[lease.number] = (one, job, worker)

    def _end(self, job: Job) -> None:
        if job.lease.number not in self.running:
            return  # its client has just left
        one, _, _ = self.running.pop(job.lease.number)
        self.scene.pool.admission.note_length(job.lease, max(job.made.values()))
        self.scene.pool.admission.leave(job.lease)
        self.ended.append((one, job))

    def _leave(self, step: int) -> None:
        for number, (one, job, worker) in list(self.running.items()):
            if one.leaves_at and step >= one.at + one.leaves_at:
                del self.running[number]
                worker.cancel(job)
                self.has_left = True
                self.scene.pool.admission.leave(job.lease)

    async def _work(self, step: int) -> None:
        for number, one in enumerate(self._works):
            if step == one.at and not self.scene.pool.claim_error("work", one.bytes):
                await self.scene.pool.claim(f"work {number}", one.bytes)
            elif step == one.at + one.lasts:
                await self.scene.pool.end_claim(f"work {number}")

    def _check(self) -> None:
        """The promises that hold at every moment."""
        ledger = self.scene.pool._ledger
        reserved = ledger.claimed + sum(r.base + r.kv_reserved for r in ledger.residents)
        assert reserved <= self.limit
        alive = [worker for worker in self.workers if not worker.is_stopped and worker.loads]
        # A report may be under way while a client leaves, and then comes before the worker knows of that.
        assert self.has_left or sum(worker.held for worker in alive) <= self.limit


class Sized(GrowingRunner):
    """It has the size of the model that it loads."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(0, chance)

    async def load(self, card: Any, on_progress: Any) -> Any:
        self.base = SIZES[card.id]
        await super().load(card, on_progress)
        from inference.core.pool_state import Loaded, Memory

        self.memory = Memory(active=self.base)
        return Loaded(seconds=1, memory=self.memory, context_length=CONTEXT, vocab_size=9, device="cpu")


@given(
    requests=st.lists(asked, min_size=1, max_size=12),
    limit=st.sampled_from([1600, 2500, 4000, 9000]),
    seed=st.integers(0, 9),
    works=st.lists(work, max_size=2),
)
@settings(max_examples=40 if IS_NIGHTLY else 20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_everybody_ends_within_the_limit(
    requests: list[Asked], limit: int, seed: int, works: list[Work]
) -> None:
    async def whole() -> Run:
        run = Run(requests, limit, seed, works)
        await run.run()
        residents = run.scene.pool._ledger.residents
        for resident in residents:
            assert (resident.leases, resident.paused, resident.kv_reserved, resident.kv_ceiling) == (
                0,
                0,
                0,
                0,
            )
            assert (resident.kv_pausing, resident.unsettled) == (0, 0)
            assert resident.state in (ModelState.READY, ModelState.DRAINING)
        await run.scene.pool.close()
        return run

    run = asyncio.run(whole())
    for one, job in run.ended:
        if job.is_cut:
            continue
        assert all(made == min(one.length, one.most) for made in job.made.values())
    if {one.model for one in requests} == {"a"}:
        for one, job in run.ended:
            assert not job.is_cut or SIZES["a"] + one.needed > limit
    for one in run.refused:
        estimate = max(one.prompt, int(one.prompt * one.estimate))
        assert SIZES[one.model] + one.answers * (estimate + 1) > limit
