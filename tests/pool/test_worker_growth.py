"""Real workers under a small memory limit: long answers grow and wait for each other, with the same text."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inference.core.events import Accepted, Ended, Event, Finished, Progress, TextDelta
from inference.core.protocol import GrowthWanted
from inference.core.requests import ChatRequest, Lora, Sampling, TokenRules
from inference.pool import Pool, PoolOptions, ProcessRunner
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import PendingLease
from inference.pool.workers.growths import Growth
from tests.fakes import card
from tests.loras import DOWN, Q, layers, write_mlx
from tests.nightly import nightly
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx
BASE = 200 * 10**6  # of the model, far above what the tiny one and its helper take: transients do not matter
PER_TOKEN = 512
PROMPT = 40  # tokens that are reserved for a prompt, a few too many


@dataclass
class Site:
    """A pool whose only model may keep so many tokens, and the most that it ever reserved for them."""

    folder: Path
    tokens: int
    most: int = 0
    pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        tiny = card(
            "tiny", path=str(self.folder), resident_bytes=BASE, kv_bytes_per_token=PER_TOKEN, context_cap=2048
        )
        options = msgspec.structs.replace(OPTIONS, prefix_cache_bytes=10**6)
        self.pool = Pool(
            PoolOptions(
                limit_bytes=BASE + self.tokens * PER_TOKEN,
                queue_limit=9,
                load_timeout_s=60,
                keep_spare=False,
                patience_s=1,
            ),
            find_card=lambda model: tiny,
            start_runner=lambda: ProcessRunner(options),
            gauge=lambda: 1.0,
        )
        for _ in range(8):  # so the first slices are short
            self.pool._records.lengths.add("tiny", 60)

    async def ask(self, request: ChatRequest) -> list[Event]:
        """One request as the site runs it."""
        answers = Answers(request.n, request.max_tokens)
        events: list[Event] = []
        async with self.pool.lease("tiny", PROMPT * request.n, "chat", answers) as lease:
            async for _ in lease.progress():
                pass
            lease.limit(request)
            async with aclosing(lease.runner.submit(request)) as stream:
                async for event in stream:
                    events.append(event)
                    if isinstance(event, Accepted):
                        lease.accept(event.prompt_tokens * request.n, event.max_tokens)
                    reserved = self.pool.snapshot().of("tiny").kv_reserved_bytes // PER_TOKEN
                    self.most = max(self.most, reserved)
        return events


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def long(seed: int, tokens: int = 600, **fields: Any) -> ChatRequest:
    own = {
        "max_tokens": tokens,
        "sampling": Sampling(temperature=1.0, seed=seed),
        "rules": TokenRules(min_tokens=tokens),
    }
    return chat(f"question {seed}", **(own | fields))


def text_of(events: list[Event], index: int = 0) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta) and one.index == index)


def is_paused(events: list[Event]) -> bool:
    return any(isinstance(one, Progress) and one.phase == "paused" for one in events)


async def run(site: Site, *requests: ChatRequest) -> list[list[Event]]:
    return await asyncio.gather(*(site.ask(one) for one in requests))


@asynccontextmanager
async def site_of(folder: Path, tokens: int) -> AsyncIterator[Site]:
    site = Site(folder, tokens)
    yield site
    await site.pool.close()


async def test_two_answers_that_do_not_fit_together_end_with_the_same_text(folder: Path) -> None:
    asked = [long(1), long(2)]
    async with site_of(folder, 1000) as site:
        tight = await run(site, *asked)
        free = [await site.ask(one) for one in asked]  # one after the other they fit
    assert not any(map(is_paused, free))
    assert [text_of(one) for one in tight] == [text_of(one) for one in free]
    assert is_paused(tight[1])  # the first one may be too, for a moment, where the site answers late
    assert 800 < site.most <= 1000
    ends = [one for events in tight for one in events if isinstance(one, Finished)]
    assert [(one.usage.completion_tokens, one.cut_by) for one in ends] == [(600, ""), (600, "")]
    assert ends[1].timings.paused_s > 0


@nightly
async def test_any_answer_goes_on_to_the_same_text(folder: Path, tmp_path: Path) -> None:
    """Structured, penalised, with an adapter or drafts, and more: each paused beside an older one."""
    schema = '{"type":"array","items":{"type":"integer"},"minItems":150,"maxItems":150}'
    penalties = Sampling(temperature=0.8, seed=5, repetition_penalty=1.3, frequency_penalty=0.2)
    adapter = write_mlx(tmp_path / "pirate", layers(Q, DOWN), seed=2)
    pirate = Lora(name="pirate", path=str(adapter), version="1")
    kinds: list[dict[str, Any]] = [
        {"schema": schema, "rules": TokenRules(), "max_tokens": 900},
        {"sampling": penalties, "stop": ("qz",), "logprobs": 2, "prompt_logprobs": 1},
        {"n": 2, "rules": TokenRules(min_tokens=480, banned_texts=("e",)), "max_tokens": 480},
        {"lora": pirate, "speculates": True, "prediction": "the same thing again and again " * 20},
    ]
    asked = [long(10 + place, **fields) for place, fields in enumerate(kinds)]
    async with site_of(folder, 9000) as large, site_of(folder, 1100) as small:
        for request in asked:
            free, tight = await run(large, long(1), request), await run(small, long(1), request)
            assert is_paused(tight[1])
            assert [one.usage.completion_tokens for one in ends_of(tight)] == [
                one.usage.completion_tokens for one in ends_of(free)
            ]
            for index in range(request.n):
                assert text_of(tight[1], index) == text_of(free[1], index)
            assert logprobs_of(tight[1]) == pytest.approx(logprobs_of(free[1]), abs=1e-3)


@nightly
async def test_one_that_can_never_fit_ends_where_its_memory_does(folder: Path) -> None:
    async with site_of(folder, 400) as site:
        (events,) = await run(site, long(1))
        assert site.pool.snapshot().of("tiny").leases == 0
    (finished,) = [one for one in events if isinstance(one, Finished)]
    (ended,) = [one for one in events if isinstance(one, Ended)]
    prompt, made = finished.usage.prompt_tokens, finished.usage.completion_tokens
    assert (ended.reason, finished.cut_by, prompt + made) == ("length", "memory", 400)


async def test_one_that_leaves_while_it_is_paused_frees_what_it_held(folder: Path) -> None:
    site = Site(folder, 1000)
    first, second = asyncio.ensure_future(site.ask(long(1))), asyncio.ensure_future(site.ask(long(2)))
    while not ((leases := site.pool._scheduler._growth._leases)[1:] and is_waiting(leases[1])):
        await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.wait([second])
    assert site.pool.snapshot().of("tiny").leases == 1
    assert text_of(await first)
    assert (site.pool.snapshot().of("tiny").paused, site.pool.snapshot().of("tiny").leases) == (0, 0)
    await site.pool.close()


@nightly
async def test_a_paused_answer_is_no_stuck_one(folder: Path) -> None:
    runner = ProcessRunner(OPTIONS, stuck_after_s=2)
    await runner.load(card(path=str(folder)), lambda progress: None)
    wishes: list[GrowthWanted] = []
    request = long(1, 200)
    growth = Growth(tokens=50, kv_tokens=500, on_wanted=wishes.append)
    runner.limit_growth(request, growth)
    asking = asyncio.ensure_future(ask(runner, request))
    while not any(one.is_paused for one in wishes):
        await asyncio.sleep(0.02)
    await asyncio.sleep(5)
    assert (wishes[-1].made, runner.end_reason) == (50, "")
    assert growth.orders
    growth.orders.grant(200)
    assert text_of(await asking) == text_of(await ask(runner, request))
    await runner.stop()


def ends_of(answers: list[list[Event]]) -> list[Finished]:
    return [one for events in answers for one in events if isinstance(one, Finished)]


def logprobs_of(events: list[Event]) -> list[float]:
    deltas = [one for one in events if isinstance(one, TextDelta) and one.index == 0]
    return [token.logprob or 0.0 for one in deltas for token in one.logprobs]


def is_waiting(lease: PendingLease) -> bool:
    return lease.growth is not None and lease.growth.state == "paused"
