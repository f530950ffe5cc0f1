from dataclasses import dataclass, field

from inference.core.pool_state import Memory, ModelState, PoolSnapshot, ResidentModel
from inference.serving.usage_history import EVERY_S, KEPT, UsageHistory
from tests.fakes import FakeRunner, fake_pool

GB = 10**9
EMPTY = PoolSnapshot(limit_bytes=10 * GB)


@dataclass
class World:
    """A clock and a count of tokens that the test moves on."""

    at: float = 1000.0
    tokens: int = 70
    hour: UsageHistory = field(init=False)

    def __post_init__(self) -> None:
        self.hour = UsageHistory(
            tokens=lambda: self.tokens, gauge=lambda: 50 * GB, clock=lambda: self.at, now=lambda: self.at
        )

    def tick(self, seconds: float = EVERY_S, tokens: int = 0, snapshot: PoolSnapshot = EMPTY) -> None:
        self.at += seconds
        self.tokens += tokens
        self.hour(snapshot)


def test_the_rate_is_of_the_time_since_the_sample_before() -> None:
    world = World()
    world.tick(tokens=50)
    world.tick(tokens=20)
    world.tick()
    assert [sample.rate for sample in world.hour.since()] == [10.0, 4.0, 0.0]


def test_a_count_that_falls_is_no_rate_below_zero() -> None:
    world = World()
    world.tick(tokens=-3)
    assert [sample.rate for sample in world.hour.since()] == [0.0]


def test_one_sample_is_kept_every_few_seconds() -> None:
    world = World()
    for _ in range(11):
        world.tick(1)
    assert [sample.at for sample in world.hour.since()] == [1001, 1006, 1011]


def test_an_hour_is_kept_and_no_more() -> None:
    world = World()
    for _ in range(KEPT + 10):
        world.tick()
    samples = world.hour.since()
    assert (len(samples), samples[-1].at - samples[0].at) == (KEPT, 3600 - EVERY_S)


def test_a_page_that_has_some_samples_receives_the_rest() -> None:
    world = World()
    for _ in range(4):
        world.tick()
    assert [sample.at for sample in world.hour.since(1010)] == [1015, 1020]


def test_it_keeps_what_the_memory_held() -> None:
    world = World()
    model = ResidentModel(
        id="tiny", state=ModelState.READY, reserved_bytes=3 * GB, memory=Memory(prefix_cache=GB)
    )
    world.tick(snapshot=PoolSnapshot(limit_bytes=10 * GB, reserved_bytes=3 * GB, models=(model,)))
    (sample,) = world.hour.since()
    assert (sample.weights, sample.caches, sample.free, sample.held) == (2 * GB, GB, 7 * GB, 3 * GB)


async def test_the_pools_ticks_feed_it() -> None:
    world = World()
    pool = fake_pool([FakeRunner()], on_tick=world.hour)
    pool.tick()
    assert [sample.free for sample in world.hour.since()] == [10 * GB]
