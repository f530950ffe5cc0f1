"""Whatever happens, in whatever order: the pool's promises, tried by a state machine on a fake clock."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from inference.core.errors import ModelLoadFailed, ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory, ModelState
from inference.pool.residency.lease import PendingLease
from tests.fakes import FakeRunner, card
from tests.nightly import IS_NIGHTLY
from tests.pool.scene import Scene

LIMIT = 100
OUT_OF_MEMORY = "too little memory"
MODELS = {"a": 30, "b": 30, "c": 50, "d": 70}
names = st.sampled_from(sorted(MODELS))
seconds = st.sampled_from([0.5, 1.0, 3.0, 20.0, 90.0, 400.0])


class Watched(FakeRunner):
    """Its load ends on request, it sheds by its next report, it notes being stopped under leases."""

    def __init__(self, machine: "PoolMachine") -> None:
        super().__init__()
        self.machine = machine
        self.memory = Memory()
        self.card: ModelCard | None = None
        self.is_loaded = False
        self.verdict: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.keep: int | None = None
        self.is_unloaded = False  # by hand
        self.surprise = 0  # bytes it reported beyond what was predicted

    async def load(self, card: ModelCard, on_progress: Any) -> Loaded:
        self.card = card
        self.loads.append(card.id)
        if error := await self.verdict:
            raise ModelLoadFailed(error, kind="out_of_memory" if error == OUT_OF_MEMORY else "files")
        self.is_loaded = True
        self.memory = Memory(active=card.resident_bytes)
        return Loaded(seconds=1, memory=self.memory, context_length=50, vocab_size=9, device="cpu")

    def shed(self, keep_bytes: int) -> None:
        self.keep = keep_bytes

    async def stop(self) -> None:
        if not self._ended.is_set() and self.is_loaded:
            self.machine.note_stop(self)
        if not self.verdict.done():
            self.verdict.set_result("it was stopped")
        await super().stop()

    @property
    def is_over(self) -> bool:
        return self._ended.is_set()


class PoolMachine(RuleBasedStateMachine):
    """Random requests, loads, deaths, reports and times."""

    all_pending = Bundle("waiters")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.asked: list[PendingLease] = []
        self.held: set[PendingLease] = set()
        self.pinned: set[str] = set()
        self.stopped_under_leases: list[str] = []
        self.runners: list[Watched] = []
        self.scene = self.run(self._begin())

    async def _begin(self) -> Scene:
        return Scene(
            find_card=self._card,
            start_runner=self._start,
            limit_bytes=LIMIT,
            queue_limit=6,
            max_leases=3,
            wait_limit_s=60,
            min_residency_s=2,
            patience_s=5,
            idle_ttl_s=100,
            load_timeout_s=3600,
        )

    def _card(self, model: str) -> ModelCard:
        size = MODELS[model]
        facts = {"kv_bytes_per_token": 1, "prefill_bytes": 3, "context_length": 50}
        return card(model, resident_bytes=size, is_pinned=model in self.pinned, **facts)

    def _start(self) -> Watched:
        self.runners.append(Watched(self))
        return self.runners[-1]

    def run(self, coroutine: Any = None) -> Any:
        """Run it, then everything that needs no time."""

        async def both() -> Any:
            result = await coroutine if coroutine else None
            for _ in range(15):
                await asyncio.sleep(0)
            return result

        return self.loop.run_until_complete(both())

    def note_stop(self, runner: Watched) -> None:
        model = runner.card.id if runner.card else ""
        if any(w.card.id == model and w.resident and w.resident.runner is runner for w in self.held):
            self.stopped_under_leases.append(model)

    def living(self) -> list[Watched]:
        return [runner for runner in self.runners if runner.loads and not runner.is_over]

    @rule(target=all_pending, model=names, tokens=st.integers(0, 60), share=st.sampled_from("xxy"))
    def join(self, model: str, tokens: int, share: str) -> Any:
        try:
            pending = self.run(self.scene.pool.admission.join(model, tokens, share=share))
        except ServerError:
            return multiple()
        self.asked.append(pending)
        self.held.add(pending)
        return pending

    @rule(pending=consumes(all_pending))
    def leave(self, pending: PendingLease) -> None:
        self.held.discard(pending)
        self.run(self.scene.leave(pending))

    @rule(pending=all_pending, share=st.floats(0, 1))
    def settle(self, pending: PendingLease, share: float) -> None:
        """The exact count is never above the estimate: what is above is the worker's surprise."""
        if pending in self.held:

            async def settle() -> None:
                self.scene.pool.admission.accept(pending, int(pending.kv_tokens * share), 0)

            self.run(settle())

    @rule(index=st.integers(0, 9), error=st.sampled_from(["", "", "", "no weights", OUT_OF_MEMORY]))
    def finish_load(self, index: int, error: str) -> None:
        loading = [runner for runner in self.living() if not runner.verdict.done()]
        if loading:

            async def finish() -> None:
                loading[index % len(loading)].verdict.set_result(error)

            self.run(finish())

    @rule(index=st.integers(0, 9))
    def die(self, index: int) -> None:
        living = [runner for runner in self.living() if runner.is_loaded]
        if living:

            async def die() -> None:
                living[index % len(living)].die()

            self.run(die())

    @rule(
        index=st.integers(0, 9),
        share=st.floats(0, 1),
        kept=st.floats(0, 1),
        surprise=st.sampled_from([0, 0, 0, 25]),
    )
    def report(self, index: int, share: float, kept: float, surprise: int) -> None:
        """A worker reports its memory: within what is reserved for it, or with a surprise on top."""
        living = [runner for runner in self.living() if runner.is_loaded]
        if not living:
            return
        runner = living[index % len(living)]
        place = next(m for m in self.scene.pool.snapshot().models if m.id == runner.loads[0])
        size = MODELS[runner.loads[0]]
        kv = int(share * sum(w.held_bytes for w in self.held if w.resident and w.resident.runner is runner))
        freed = place.kv_reserved_bytes - sum(
            w.held_bytes for w in self.held if w.resident and w.resident.runner is runner
        )
        cache = runner.memory.prefix_cache + int(kept * max(0, freed))
        if runner.keep is not None:
            cache, runner.keep = min(cache, runner.keep), None
        runner.surprise = surprise
        memory = Memory(active=size + kv + cache + surprise, kv=kv, prefix_cache=cache)
        self.run(self.send_report(runner, memory))

    async def send_report(self, runner: Watched, memory: Memory) -> None:
        runner.report(memory)

    @rule(passed=seconds, available=st.sampled_from([1.0, 1.0, 1.0, 0.1, 0.07, 0.03]))
    def tick(self, passed: float, available: float) -> None:
        self.scene.available = available
        self.run(self.scene.pass_s(passed))

    @rule(model=names)
    def pin_or_unpin(self, model: str) -> None:
        self.pinned ^= {model}
        self.run(self.scene.pool.refresh(model))

    @rule(model=names)
    def load_or_unload(self, model: str) -> None:
        try:
            self.run(self.scene.pool.load(model))
            self.run(self.scene.pool.unload(model))
        except ServerError:
            return
        for runner in self.living():
            runner.is_unloaded |= runner.loads[0] == model

    @invariant()
    def stays_within_its_limit(self) -> None:
        assert self.scene.reserved <= LIMIT + sum(runner.surprise for runner in self.living())

    @invariant()
    def stops_no_model_under_a_lease(self) -> None:
        assert self.stopped_under_leases == []

    @invariant()
    def chooses_no_model_under_a_lease(self) -> None:
        """One that leaves with leases was unloaded by hand, for it lives."""
        leaving = [
            m.id for m in self.scene.pool.snapshot().models if m.state == ModelState.DRAINING and m.leases
        ]
        assert [r for r in self.living() if r.loads[0] in leaving and not r.is_unloaded] == []

    @invariant()
    def has_one_runner_for_a_model(self) -> None:
        names = [runner.loads[0] for runner in self.living()]
        assert len(names) == len(set(names))

    @invariant()
    def counts_the_leases_that_are_held(self) -> None:
        for model in self.scene.pool.snapshot().models:
            if model.state in {ModelState.READY, ModelState.BUSY}:
                held = [w for w in self.held if w.card.id == model.id and w.resident]
                alive = [w for w in held if w.resident and not w.resident.is_leaving]
                assert model.leases == len(alive)

    @invariant()
    def reserves_for_those_leases_and_nothing_else(self) -> None:
        for pending in self.held:
            if resident := pending.resident:
                same = [w for w in self.held if w.resident is resident]
                assert resident.kv_reserved == sum(w.held_bytes for w in same)

    def teardown(self) -> None:
        """Everybody leaves in the end, and everybody who waited got an answer."""
        self.scene.available = 1.0
        for _ in range(80):
            for runner in self.living():
                if not runner.verdict.done():
                    runner.verdict.set_result("")
            for pending in [pending for pending in self.held if pending.granted.done()]:
                self.leave(pending)
            self.run(self.scene.pass_s(10))
        for runner in [runner for runner in self.living() if runner.is_loaded]:
            self.run(self.send_report(runner, Memory(active=MODELS[runner.loads[0]])))
        assert not self.held
        assert all(model.kv_reserved_bytes == 0 for model in self.scene.pool.snapshot().models)
        assert self.scene.pool.snapshot().waiting == 0
        assert all(pending.granted.done() for pending in self.asked)
        assert all(model.leases == 0 for model in self.scene.pool.snapshot().models)
        self.run(self.scene.pool.close())
        assert all(runner.is_over for runner in self.runners)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(
    stateful_step_count=40 if IS_NIGHTLY else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
