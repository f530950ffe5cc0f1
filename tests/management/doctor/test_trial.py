"""The trial of a model: how long it goes on, what it requests, and its figures."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from inference.core.config import Config
from inference.core.events import Accepted, Ended, Event, Finished, TextDelta, Usage
from inference.core.pool_state import Memory
from inference.core.requests import Request
from inference.management.doctor import trial
from inference.serving.health.finding import SpeedFigures
from tests.fakes import GB, EventRunner, FakeRunner, card, serving

ANSWER = (
    Accepted(prompt_tokens=30),
    TextDelta(text="Once", tokens=2),
    TextDelta(text=" upon", tokens=3),
    TextDelta(text=" a time", tokens=5),
    Ended(reason="length"),
    Finished(usage=Usage(prompt_tokens=30, completion_tokens=10)),
)


class Clock:
    """Every look at it is half a second later."""

    at = 0.0

    def __call__(self) -> float:
        self.at += 0.5
        return self.at


class Endless(FakeRunner):
    """Answers for as long as somebody listens."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        yield Accepted(prompt_tokens=3)
        try:
            while True:
                yield TextDelta(text="on")
                self.report(Memory(peak=3 * GB))
                await asyncio.sleep(0.001)
        finally:
            self.cancelled += 1


async def figures_of(runner: FakeRunner, seconds: float = 5, **facts: Any) -> SpeedFigures:
    tried = card(**facts)
    with serving(runner, cards=[tried]):
        return (await trial.run_trial(tried, seconds, Clock()))[1]


async def test_the_figures_are_those_of_its_course() -> None:
    figures = await figures_of(EventRunner(*ANSWER))
    assert figures == SpeedFigures(
        model="tiny",
        device="cpu",
        load_s=0.5,
        prompt_tokens=30,
        prompt_s=0.5,
        prompt_rate=60,
        tokens=10,
        decode_s=1.0,
        decode_rate=8,  # of the tokens after the first ones
        peak_bytes=GB,
        has_filled_context=True,
    )


async def test_it_ends_when_its_time_is_over() -> None:
    runner = Endless()
    figures = await figures_of(runner, seconds=0.2)
    assert figures.tokens > 1 and not figures.has_filled_context
    assert (figures.peak_bytes, runner.cancelled, runner.is_stopped) == (3 * GB, 1, True)


async def test_a_model_that_never_begins_is_given_up(monkeypatch: Any, settings: Any) -> None:
    monkeypatch.setattr(trial, "PROMPT_TIMEOUT_S", 0.1)
    settings.CONFIG = Config(load_timeout_s=0.1)
    with pytest.raises(TimeoutError):
        await figures_of(FakeRunner(("never",), hold=asyncio.Event()))


@pytest.mark.parametrize(
    ("facts", "least", "most"),
    [
        ({"context_length": 8192}, 6000, 6500),
        ({"context_length": 256}, 128, 130),
        ({"context_length": 131_072, "kv_bytes_per_token": 10**6}, 1, 4500),
    ],
)
def test_it_asks_for_all_there_is_room_for(
    settings: Any, facts: dict[str, Any], least: int, most: int
) -> None:
    settings.CONFIG = Config(memory_limit="10GB")
    request = trial.question(card(**facts))
    assert request.ignores_end and least <= (request.max_tokens or 0) <= most


async def test_what_it_asks_for_is_not_refused_for_want_of_memory(settings: Any) -> None:
    settings.CONFIG = Config(memory_limit="10GB")
    figures = await figures_of(EventRunner(*ANSWER), context_length=131_072, kv_bytes_per_token=10**6)
    assert figures.tokens == 10


def test_where_it_ran_is_reported_with_what_was_asked(settings: Any) -> None:
    settings.CONFIG = Config(device="cpu")
    with serving(EventRunner(*ANSWER)):
        device, model = trial.trial(1)
    assert device.text == "MLX_SERVER_DEVICE is cpu; the model ran on the CPU"
    assert model.figures and model.figures.device == "cpu"
    assert trial.device().text.startswith("MLX_SERVER_DEVICE is cpu; no model ran")


def test_a_model_that_stops_after_its_first_token_is_wrong() -> None:
    with serving(FakeRunner(hold=asyncio.Event())):
        _, model = trial.trial(0.1)
    assert (model.state, model.figures and model.figures.tokens) == ("wrong", 1)
