"""A worker without a model: its answers grow by the engine's own rules, and frames cross each other."""

import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from inference.core.pool_state import Memory
from inference.core.protocol import CutShort, Grant, GrowthWanted, Pause
from inference.core.requests import ChatRequest, Request, Sampling
from inference.pool.residency.lease import PendingLease
from inference.pool.workers.growths import Growth, Growths, Order
from inference.worker.engine.commands import Limit
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.engine.token_grants import TokenGrants
from tests.fakes import FakeRunner

T = TypeVar("T")
_HEARTBEAT_STEPS = 10


@dataclass(eq=False)
class Job:
    """One request: its sequences, each with the tokens it will have, and those it has."""

    lease: PendingLease
    number: int
    prompt: int
    most: int
    lengths: dict[int, int]
    made: dict[int, int] = field(default_factory=dict)
    request: ChatRequest = field(default_factory=lambda: ChatRequest(model="m", messages=()))
    is_cut: bool = False
    is_over: bool = False


class GrowingRunner(FakeRunner):
    """Frames take up to `delay` steps in each direction, and are never reordered."""

    def __init__(self, base: int, chance: random.Random, delay: int = 2) -> None:
        super().__init__()
        self.base = base
        self.memory = Memory(active=base)
        self.grants = TokenGrants(lambda wanted: self._up.append((self._due(), wanted)))
        self.growths = Growths(lambda order: self._down.append((self._due(), order)))
        self.jobs: dict[int, Job] = {}
        self._by_sequence: dict[int, Job] = {}
        self.batch: dict[int, Sequence] = {}
        self.prefixes = 0
        self._chance, self._delay, self._now = chance, delay, 0
        self._up: deque[tuple[int, GrowthWanted | Memory | int]] = deque()
        self._down: deque[tuple[int, Order | int]] = deque()
        self._numbers, self._ids = itertools.count(1), itertools.count(1)

    def limit_growth(self, request: Request, growth: Growth) -> None:
        self.growths.announce(request, growth)

    def begin(self, lease: PendingLease, prompt: int, most: int, lengths: list[int]) -> Job:
        """Submit a request of a granted lease; the worker counts its prompt at once."""
        job = Job(lease, next(self._numbers), prompt, most, {next(self._ids): one for one in lengths})
        assert lease.growth
        self.limit_growth(job.request, lease.growth.growth)
        granted = self.growths.open(job.number, job.request)
        self.jobs[job.number] = job
        self._by_sequence |= dict.fromkeys(job.lengths, job)
        sequences = tuple(
            Sequence(
                id=one,
                prompt=(0,) * prompt,
                max_tokens=most,
                sampling=Sampling(),
                stop_ids=frozenset(),
                request=job.number,
            )
            for one in job.lengths
        )
        job.made = dict.fromkeys(job.lengths, 0)
        lease.accept(prompt * len(lengths), most * len(lengths))
        self.grants.open(Limit(job.number, granted["tokens"], granted["kv_tokens"], sequences))
        if not self.grants.hold_back(sequences):
            self.batch |= {one.id: one for one in sequences}
        return job

    def cancel(self, job: Job) -> None:
        """The client has left: the site forgets the request at once, the worker a little later."""
        self.growths.close(job.number)
        self._down.append((self._due(), job.number))

    def shed(self, keep_bytes: int) -> None:
        self.prefixes = min(self.prefixes, keep_bytes)
        self._send_memory()

    @property
    def kv(self) -> int:
        """Tokens in the KV caches of its batch."""
        made = {one: n for job in self.jobs.values() for one, n in job.made.items()}
        return sum(len(sequence.prompt) + made[one] for one, sequence in self.batch.items())

    @property
    def held(self) -> int:
        """What it really holds, one byte for a token."""
        return self.base + self.kv + self.prefixes

    def step(self, tokens: int) -> list[Job]:
        """Some tokens of every answer; returns the requests that are over."""
        self._now += 1
        for order in self._arrived(self._down):
            self._follow(order)
        for _ in range(tokens):
            self._decode()
        if self._now % _HEARTBEAT_STEPS == 0:
            self._send_memory()
        over = []
        for frame in self._arrived(self._up):
            if isinstance(frame, GrowthWanted):
                self.growths.note(frame)
            elif isinstance(frame, Memory):
                self.report(frame)
            elif job := self.jobs.pop(frame, None):
                self.growths.close(job.number)
                job.is_over = True
                over.append(job)
        return over

    def _decode(self) -> None:
        outputs = []
        for one in list(self.batch):
            job = self._job_of(one)
            job.made[one] += 1
            finish = job.made[one] >= min(job.lengths[one], self.batch[one].max_tokens)
            outputs.append(Sampled(one, 0, "length" if finish else None))
        for output in outputs:
            if output.finish:
                self._drop(output.id)
        for number in self.grants.count(outputs):
            self._pause(number)
        for job in {self._job_of(one.id) for one in outputs if one.finish}:
            if not any(one in self.batch for one in job.lengths) and self._has_ended(job):
                self._end(job)

    def _has_ended(self, job: Job) -> bool:
        return all(job.made[one] >= min(length, job.most) for one, length in job.lengths.items())

    def _follow(self, order: Order | int) -> None:
        match order:
            case Grant():
                for group in self.grants.grant(order):
                    self.batch |= {one.id: one for one in group}
            case Pause(id=number):
                self._pause(number)
            case CutShort(id=number):
                if job := self.jobs.get(number):
                    job.is_cut = True
                    self._remove(job)
                    self._end(job)
            case int() as number:
                if job := self.jobs.pop(number, None):
                    self._remove(job)
                    self._send_memory()

    def _pause(self, number: int) -> None:
        ids = self.grants.sequences_of(number)
        taken = [self.batch[one] for one in ids if one in self.batch]
        for one in taken:
            self._drop(one.id)
        self.grants.pause(number, taken)
        self._send_memory()

    def _remove(self, job: Job) -> None:
        for one in job.lengths:
            self._drop(one)
            self.grants.remove(one)

    def _drop(self, one: int) -> None:
        if sequence := self.batch.pop(one, None):
            self.prefixes += (len(sequence.prompt) + self._job_of(one).made[one]) * self._chance.choice(
                (0, 1)
            )

    def _job_of(self, one: int) -> Job:
        return self._by_sequence[one]

    def _end(self, job: Job) -> None:
        if not any(frame == job.number for _, frame in self._up):
            self._up.append((self._due(), job.number))
            self._send_memory()

    def _send_memory(self) -> None:
        memory = Memory(active=self.held, kv=self.kv, prefix_cache=self.prefixes)
        self._up.append((self._due(), memory))

    def _due(self) -> int:
        return self._now + self._chance.randint(0, self._delay)

    def _arrived(self, queue: deque[tuple[int, T]]) -> list[T]:
        arrived = []
        while queue and queue[0][0] <= self._now:
            arrived.append(queue.popleft()[1])
        return arrived
