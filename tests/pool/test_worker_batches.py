"""Requests beside each other on real workers: every architecture answers each as it answers it alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from inference.core.events import Ended, Event, Finished, TextDelta
from inference.core.model_card import Finding
from inference.core.requests import Sampling
from inference.pool import ProcessRunner
from tests.architectures import folders
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
# Gemma 2's mask, Llama 4's chunked caches, a state that padding disturbs, nested lists of caches.
ARCHITECTURES = ("gemma2", "llama4", "nemotron_h", "deepseek_v32", "afm7")
IN_GATE = ("nemotron_h", "afm7")  # tests/architectures has the others, without a worker around them
TEXTS = ("hi", "tell me more of it, please", "x" * 70, "one two three", "?")


class Serving:
    """A worker with a model, and what it found when it loaded it."""

    def __init__(self, runner: ProcessRunner, findings: tuple[Finding, ...], name: str) -> None:
        self.runner, self.findings, self.name = runner, findings, name


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=of_each_kind(ARCHITECTURES, IN_GATE))
async def serving(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Serving]:
    folder: Path = folders.write(request.param, tmp_path_factory.mktemp("models") / request.param)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prefix_cache_bytes=10**8))
    loaded = await runner.load(card(path=str(folder)), lambda progress: None)
    yield Serving(runner, loaded.findings, request.param)
    await runner.stop()


def text_of(events: list[Event], index: int = 0) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta) and e.index == index)


def seeded(seed: int) -> Sampling:
    return Sampling(temperature=1.0, seed=seed)


async def test_five_chats_at_once_are_five_chats_alone(serving: Serving) -> None:
    chats = [chat(text, sampling=seeded(place)) for place, text in enumerate(TEXTS)]
    together = await asyncio.gather(*(ask(serving.runner, one) for one in chats))
    alone = [await ask(serving.runner, one) for one in chats]
    assert [text_of(events) for events in together] == [text_of(events) for events in alone]
    assert all(isinstance(events[-1], Finished) for events in together)


async def test_several_answers_are_what_each_seed_gives_alone(serving: Serving) -> None:
    together = await ask(serving.runner, chat(TEXTS[1], sampling=seeded(5), n=3))
    alone = [await ask(serving.runner, chat(TEXTS[1], sampling=seeded(5 + copy))) for copy in range(3)]
    assert [text_of(together, copy) for copy in range(3)] == [text_of(events) for events in alone]


async def test_one_that_leaves_ends_at_once_and_the_others_go_on(serving: Serving) -> None:
    leaving = chat(TEXTS[2], sampling=seeded(1), max_tokens=64)
    staying = asyncio.create_task(ask(serving.runner, chat(TEXTS[1], sampling=seeded(2))))
    async with aclosing(serving.runner.submit(leaving)) as events:
        async for event in events:
            if isinstance(event, TextDelta | Ended):
                break
    assert text_of(await staying) == text_of(await ask(serving.runner, chat(TEXTS[1], sampling=seeded(2))))


async def test_its_findings_say_whether_requests_are_computed_one_at_a_time(serving: Serving) -> None:
    is_alone = any(finding.about == "batch" for finding in serving.findings)
    assert is_alone == (serving.name in {"llama4", "afm7"})
