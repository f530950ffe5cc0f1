"""Whatever accounts ask for, in whatever order: they share streams and queue, and nobody starves."""

import asyncio
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from inference.core.errors import ServerError
from inference.pool.residency.lease import PendingLease
from tests.fakes import card
from tests.pool.scene import Scene, is_granted

MODELS = ("a", "b", "c")


class SharingMachine(RuleBasedStateMachine):
    """Random requests of three accounts for three models, of which two fit; answers end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.asked: list[PendingLease] = []
        self.passed: Counter[tuple[int, str]] = Counter()
        self.scene = self.loop.run_until_complete(self._begin())

    async def _begin(self) -> Scene:
        cards = [card(model, resident_bytes=40) for model in MODELS]
        return Scene(
            *cards,
            limit_bytes=100,
            max_leases=3,
            queue_limit=8,
            patience_s=5,
            wait_limit_s=1e9,
            load_timeout_s=9,
        )

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @property
    def waiting(self) -> list[PendingLease]:
        return [one for one in self.asked if not one.granted.done()]

    @property
    def running(self) -> list[PendingLease]:
        return [one for one in self.asked if is_granted(one) and one.stream]

    def streams_of(self, share: str) -> int:
        return sum(one.share == share for one in self.running)

    @rule(model=st.sampled_from(MODELS), share=st.sampled_from("xxxyz"))
    def ask(self, model: str, share: str) -> None:
        before = Counter(one.share for one in self.waiting)
        try:
            self.asked.append(self.run(self.scene.ask(model, share=share)))
        except ServerError:
            # Nobody is turned away for others who have more in the queue.
            assert before[share] + 1 >= max(before.values())

    @rule(place=st.integers(0, 20))
    def end(self, place: int) -> None:
        if running := self.running:
            gone = running[place % len(running)]
            waiting = [one for one in self.waiting if one.card.id == gone.card.id]
            self.run(self.scene.leave(gone))
            served = [one for one in waiting if is_granted(one)]
            passed = [one for one in waiting if not one.granted.done()]
            # Of those that wait for one model, it is the account with fewest older streams that is served.
            for one in served:
                assert all(self._earlier(one) <= self._earlier(other) for other in passed)
                for other in passed:
                    if not self._earlier(other):
                        self.passed[other.number, one.share] += 1
            # Whoever has no older request is passed by one of each other account at most: they take turns.
            assert max(self.passed.values(), default=0) <= 1

    @rule(place=st.integers(0, 20))
    def leave_the_queue(self, place: int) -> None:
        if waiting := self.waiting:
            self.run(self.scene.leave(waiting[place % len(waiting)]))

    @rule(seconds=st.sampled_from([0.5, 3.0, 20.0]))
    def pass_s(self, seconds: float) -> None:
        self.run(self.scene.pass_s(seconds))

    def _earlier(self, pending: PendingLease) -> int:
        others = [*self.running, *self.waiting]
        return sum(one.share == pending.share and one.number < pending.number for one in others)

    @invariant()
    def keeps_its_bounds(self) -> None:
        assert len(self.waiting) <= 8
        assert all(count <= 3 for count in Counter(one.card.id for one in self.running).values())

    def teardown(self) -> None:
        """Answers end one after the other, requests of one account never stop coming, and nobody starves."""
        patient = self.waiting
        for _ in range(16):
            for model in MODELS:
                self.ask(model, "x")
            for one in self.running[:1]:
                self.run(self.scene.leave(one))
            self.run(self.scene.pass_s(1))
        others = [one for one in patient if one.share != "x" and not one.granted.cancelled()]
        assert all(one.granted.done() for one in others)
        for _ in range(16):
            self.run(self.scene.leave(*self.running))
            self.run(self.scene.pass_s(1))
        assert self.waiting == []
        self.run(self.scene.pool.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


TestSharing = SharingMachine.TestCase
TestSharing.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
