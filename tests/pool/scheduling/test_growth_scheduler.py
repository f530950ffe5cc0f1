"""Running answers grow: in the order of their requests, within the limit, and at the cost of the youngest."""

import pytest
from msgspec import structs

from inference.core.errors import ModelTooLarge
from inference.core.pool_state import ModelState
from inference.core.protocol import Grant, GrowthWanted
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import PendingLease
from inference.pool.workers.growths import GrowthOrders, Order
from tests.fakes import GB, card
from tests.pool.scene import Scene, is_granted, spin

MB = 10**6
A, B = card("a", kv_bytes_per_token=MB), card("b", kv_bytes_per_token=MB)


class Growing(Scene):
    """A scene whose requests have answers, and the orders that each of them got."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.orders: dict[int, list[Order]] = {}

    async def begin(
        self, model: str, prompt: int, most: int | None = None, count: int = 1, share: str = ""
    ) -> PendingLease:
        """A request that is granted, submitted and accepted."""
        lease = await self.join(model, prompt, most, count, share)
        assert is_granted(lease) and lease.growth
        self.orders[lease.number] = []
        lease.growth.growth.orders = GrowthOrders(lease.number, self.orders[lease.number].append)
        return lease

    async def join(
        self, model: str, prompt: int, most: int | None = None, count: int = 1, share: str = ""
    ) -> PendingLease:
        lease = await self.pool.admission.join(model, prompt, "chat", Answers(count, most), share)
        await spin()
        return lease

    async def want(
        self, lease: PendingLease, tokens: int, *, prompt: int, made: int = 0, is_paused: bool = False
    ) -> list[Order]:
        """The worker asks for this; what the request is told then."""
        assert lease.growth
        wanted = GrowthWanted(
            id=1,
            wish=1,
            tokens=tokens,
            made=made,
            answers=lease.answers.count if lease.answers else 1,
            prompt_tokens=prompt,
            is_paused=is_paused,
        )
        lease.growth.growth.on_wanted(wanted)
        await spin()
        return self.orders[lease.number]

    def free_mb(self) -> int:
        snapshot = self.pool.snapshot()
        return (snapshot.limit_bytes - snapshot.reserved_bytes) // MB


def kinds(orders: list[Order]) -> list[str]:
    return [type(one).__name__ for one in orders]


async def test_a_ceiling_beyond_the_memory_is_no_reason_to_refuse() -> None:
    scene = Growing(A, limit_bytes=2 * GB)
    lease = await scene.begin("a", 100, 65_000)
    assert scene.free_mb() == 1000 - 100 - 512
    assert lease.growth and lease.growth.tokens == 512


async def test_a_prompt_that_leaves_place_for_one_token_is_admitted_and_one_more_refused() -> None:
    chosen = structs.replace(A, context_cap=A.context_length)  # by itself it would be what fits
    scene = Growing(chosen, limit_bytes=2 * GB)
    lease = await scene.begin("a", 990, 65_000)
    assert 1 <= (lease.growth.tokens if lease.growth else 0) <= 10
    await scene.leave(lease)
    await scene.report("a", active=GB)
    with pytest.raises(ModelTooLarge, match="send less text"):
        await scene.join("a", 1000, 65_000)


@pytest.mark.parametrize(
    ("most", "count", "kept", "held", "begins_with"),
    [(12, 1, 0, 256, 12), (300, 1, 0, 300, 260), (5, 3, 0, 768, 5), (12, 1, 850, 12, 1)],
)
async def test_a_short_answer_has_some_place_beside_its_prompt_where_it_is_free(
    most: int, count: int, kept: int, held: int, begins_with: int
) -> None:
    # A template may write more than was estimated: the request would begin paused.
    scene = Growing(A, limit_bytes=2 * GB)
    if kept:
        other = await scene.begin("a", kept - 20, 20)
        scene.pool.admission.accept(other, kept - 20, 20)
    lease = await scene.begin("a", 100, most, count)
    assert scene.free_mb() == 1000 - kept - 100 - held
    scene.pool.admission.accept(lease, 100 + 40, most * count)
    assert scene.free_mb() == 1000 - kept - min(100 + held, 140 + most * count)
    assert lease.growth and min(most, lease.growth.tokens) == begins_with


async def test_what_is_free_is_granted_at_once() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    lease = await scene.begin("a", 100)
    orders = await scene.want(lease, 768, prompt=100, made=400)
    assert [(type(one), one.tokens) for one in orders if isinstance(one, Grant)] == [(Grant, 768)]
    assert scene.free_mb() == 2000 - 868


async def test_a_pause_that_ends_at_once_is_no_decision() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    lease = await scene.begin("a", 100)
    await scene.want(lease, 300, prompt=400, is_paused=True)
    assert lease.growth and lease.growth.state == "running"
    assert told(scene) == []


async def test_one_that_waits_is_told_and_that_it_goes_on() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    leases = [await scene.begin("a", 100) for _ in range(3)]
    await scene.want(leases[0], 768, prompt=100)
    await scene.want(leases[2], 512, prompt=100, made=300, is_paused=True)
    await scene.report("a", active=GB)
    assert told(scene) == ["paused"]
    await scene.leave(leases[0])
    await scene.report("a", active=GB)
    assert told(scene) == ["paused", "resumed"]


def told(scene: Growing) -> list[str]:
    return [one.kind for one in scene.pool.snapshot().events if one.kind in ("paused", "resumed")]


async def test_several_answers_grow_together() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    lease = await scene.begin("a", 100, count=2)
    await scene.want(lease, 768, prompt=100)
    assert scene.free_mb() == 2000 - 100 - 2 * 768


async def test_prefixes_are_shed_before_anybody_is_paused() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    old, young = await scene.begin("a", 100), await scene.begin("a", 100)
    await scene.report("a", active=GB + 700 * MB, prefix_cache=700 * MB)
    orders = await scene.want(old, 768, prompt=100)
    assert kinds(orders) == ["Grant"] and scene.orders[young.number] == []
    assert scene.runner_of("a").sheds


async def test_idle_models_are_evicted_before_anybody_is_paused() -> None:
    scene = Growing(A, B, limit_bytes=3 * GB)
    await scene.use("b")
    old, young = await scene.begin("a", 50), await scene.begin("a", 50, 300)
    assert scene.resident == {"a", "b"}
    orders = await scene.want(old, 768, prompt=100)
    assert kinds(orders) == ["Grant"] and scene.orders[young.number] == []
    assert scene.resident == {"a"}


async def test_then_the_youngest_are_paused_as_many_as_it_takes() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    leases = [await scene.begin("a", 100) for _ in range(3)]
    assert scene.free_mb() == 2000 - 3 * 612
    assert await scene.want(leases[0], 768, prompt=100) == []
    assert [kinds(scene.orders[one.number]) for one in leases] == [[], [], ["Pause"]]
    await scene.want(leases[2], 512, prompt=100, made=300, is_paused=True)
    await scene.report("a", active=GB)
    assert [kinds(scene.orders[one.number]) for one in leases] == [["Grant"], [], ["Pause"]]
    assert scene.pool.snapshot().of("a").paused == 1


async def test_an_account_with_several_answers_gives_way_to_one_with_fewer() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    first, second = [await scene.begin("a", 100, share="anna") for _ in range(2)]
    other = await scene.begin("a", 100, share="bo")
    assert await scene.want(other, 768, prompt=100) == []
    assert [kinds(scene.orders[one.number]) for one in (first, second, other)] == [[], ["Pause"], []]
    await scene.want(second, 512, prompt=100, made=300, is_paused=True)
    await scene.report("a", active=GB)
    assert kinds(scene.orders[other.number]) == ["Grant"]


async def test_a_turn_begins_anew_with_the_end_of_an_earlier_answer() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    first, second = [await scene.begin("a", 100, share="anna") for _ in range(2)]
    other = await scene.begin("a", 100, share="bo")
    await scene.leave(first)
    await scene.report("a", active=GB)
    third = await scene.begin("a", 100, share="cleo")
    await scene.want(other, 1700, prompt=100)  # bo was there before the second one was anna's first
    assert [kinds(scene.orders[one.number]) for one in (second, other, third)] == [["Pause"], [], ["Pause"]]


async def test_the_paused_go_on_before_anybody_is_admitted() -> None:
    scene = Growing(A, limit_bytes=3 * GB, patience_s=5)
    leases = [await scene.begin("a", 100) for _ in range(3)]
    await scene.want(leases[0], 768, prompt=100)
    await scene.want(leases[2], 512, prompt=100, made=300, is_paused=True)
    await scene.report("a", active=GB)
    await scene.pass_s(6)
    late = await scene.join("a", 10, 10)
    assert not is_granted(late)
    await scene.leave(leases[0])
    await scene.report("a", active=GB)
    assert kinds(scene.orders[leases[2].number]) == ["Pause", "Grant"]
    assert is_granted(late)


async def test_work_beside_the_models_is_waited_for_and_keeps_nobody_else_waiting() -> None:
    scene = Growing(A, limit_bytes=3400 * MB, patience_s=5)
    old, young = await scene.begin("a", 700), await scene.begin("a", 100)
    await scene.pool.claim("quantising", 500 * MB)
    assert await scene.want(old, 1300, prompt=700, made=500) == []
    assert kinds(await scene.want(young, 570, prompt=100)) == ["Grant"]
    await scene.want(old, 1300, prompt=700, made=512, is_paused=True)
    await scene.report("a", active=GB)
    await scene.pass_s(6)
    late = await scene.join("a", 10, 10)
    assert is_granted(late)
    await scene.leave(young, late)
    await scene.report("a", active=GB)
    assert scene.orders[old.number] == []  # it is not cut short, either
    await scene.pool.end_claim("quantising")
    await spin()
    assert kinds(scene.orders[old.number]) == ["Grant"]


async def test_one_that_waits_for_older_ones_keeps_nobody_from_growing() -> None:
    scene = Growing(A, limit_bytes=3400 * MB)
    old = await scene.begin("a", 700)
    middle, young = await scene.begin("a", 100), await scene.begin("a", 10)
    assert await scene.want(middle, 1200, prompt=100, made=500) == []  # too much beside the oldest
    await scene.want(middle, 1200, prompt=100, made=512, is_paused=True)
    await scene.report("a", active=GB)
    assert kinds(await scene.want(young, 768, prompt=10)) == ["Grant"]
    assert kinds(await scene.want(old, 768, prompt=700)) == ["Grant"]
    assert scene.orders[middle.number] == []


async def test_what_does_not_fit_even_alone_is_granted_as_far_as_it_does_and_then_cut() -> None:
    scene = Growing(A, limit_bytes=2 * GB)
    lease = await scene.begin("a", 300)
    (order,) = await scene.want(lease, 768, prompt=300, made=400)
    assert isinstance(order, Grant) and order.tokens == 700
    assert len(await scene.want(lease, 956, prompt=300, made=600)) == 1  # it may use up what it has
    orders = await scene.want(lease, 956, prompt=300, made=700, is_paused=True)
    assert kinds(orders) == ["Grant", "CutShort"]
    assert scene.texts_of("cut_short")[0].startswith("cut short a request for a: it needs more memory than")
    await scene.want(lease, 956, prompt=300, made=700, is_paused=True)
    await scene.leave(lease)
    assert (scene.pool.snapshot().of("a").paused, kinds(orders)) == (0, ["Grant", "CutShort"])


async def test_paused_requests_of_two_models_do_not_wait_for_each_other_for_ever() -> None:
    scene = Growing(A, B, limit_bytes=3 * GB)
    old, young = await scene.begin("a", 100, 300), await scene.begin("b", 100, 300)
    for lease in (old, young):
        await scene.want(lease, 1200, prompt=100, made=300, is_paused=True)
    await scene.report("a", active=GB)
    await scene.report("b", active=GB)
    assert [kinds(scene.orders[one.number]) for one in (old, young)] == [[], ["CutShort"]]
    await scene.leave(young)
    await scene.report("b", active=GB)
    assert kinds(scene.orders[old.number]) == ["Grant"] and scene.resident == {"a"}


async def test_a_model_that_leaves_lets_its_paused_requests_end() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    leases = [await scene.begin("a", 100) for _ in range(3)]
    await scene.want(leases[0], 768, prompt=100)
    await scene.want(leases[2], 512, prompt=100, made=300, is_paused=True)
    await scene.pool.unload("a")
    await scene.leave(leases[0])
    await scene.report("a", active=GB)
    assert kinds(scene.orders[leases[2].number]) == ["Pause", "Grant"]
    await scene.leave(*leases[1:])
    assert scene.state("a") == ModelState.UNLOADED


async def test_a_worker_that_dies_ends_the_paused_with_the_others() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    leases = [await scene.begin("a", 100) for _ in range(3)]
    await scene.want(leases[0], 768, prompt=100)
    await scene.want(leases[2], 512, prompt=100, made=300, is_paused=True)
    await scene.kill("a")
    await scene.leave(*leases)
    assert scene.reserved == 0


async def test_the_snapshot_has_what_answers_may_come_to() -> None:
    scene = Growing(A, limit_bytes=3 * GB)
    lease = await scene.begin("a", 100, 5000)
    scene.pool.admission.accept(lease, 90, 5000)
    model = scene.pool.snapshot().of("a")
    assert (model.kv_reserved_bytes, model.kv_growth_bytes) == (602 * MB, (5090 - 602) * MB)
