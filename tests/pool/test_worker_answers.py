"""A request with several answers, on a real worker: copies, several prompts, echoes, and their counts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from inference.core.errors import ContextLengthExceeded, InvalidValue
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    PromptLogprobs,
    TextDelta,
    TokenLogprob,
)
from inference.core.requests import CompletionRequest, Sampling
from inference.pool import ProcessRunner
from tests.pool.worker_models import ask, chat, endless_chat, started
from tests.tiny import make_tiny_model, make_tokenizer

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
PROMPTS = ("Once upon a time", "There was", "x" * 100)
SEEDED = Sampling(temperature=1.0, seed=5)
TOKENIZER = make_tokenizer()
END = TOKENIZER.get_vocab()["<|eot_id|>"]


def ids(text: str) -> tuple[int, ...]:
    return tuple(TOKENIZER.encode(text).ids)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    folder: Path = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=8192)
    runner = await started(folder)
    yield runner
    await runner.stop()


def completion(*prompts: str | tuple[int, ...], **fields: object) -> CompletionRequest:
    fields = {"max_tokens": 8, "sampling": Sampling(temperature=0)} | fields
    return CompletionRequest(model="tiny", prompts=prompts, **fields)  # type: ignore[arg-type]


def texts(events: list[Event], answers: int) -> list[str]:
    deltas = [event for event in events if isinstance(event, TextDelta)]
    return ["".join(delta.text for delta in deltas if delta.index == index) for index in range(answers)]


def finish(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def logprobs(events: list[Event]) -> list[TokenLogprob]:
    return [one for event in events if isinstance(event, TextDelta) for one in event.logprobs]


async def test_each_of_n_answers_is_what_its_seed_gives_alone(runner: ProcessRunner) -> None:
    together = await ask(runner, chat(sampling=SEEDED, n=4))
    alone = [await ask(runner, chat(sampling=structs.replace(SEEDED, seed=5 + copy))) for copy in range(4)]
    assert texts(together, 4) == [texts(events, 1)[0] for events in alone]
    assert len(set(texts(together, 4))) > 1


async def test_n_answers_without_a_seed_differ(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(sampling=Sampling(temperature=1.5), n=4))
    assert len(set(texts(events, 4))) > 1


async def test_each_answer_ends_once_and_the_request_after_them(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(n=3))
    assert sorted(event.index for event in events if isinstance(event, Ended)) == [0, 1, 2]
    assert [type(event) for event in events].count(Finished) == 1


async def test_the_prompt_of_n_answers_counts_once(runner: ProcessRunner) -> None:
    one, three = [finish(await ask(runner, chat("count", n=n, max_tokens=5))).usage for n in (1, 3)]
    assert three.prompt_tokens == one.prompt_tokens
    assert three.completion_tokens == 3 * one.completion_tokens == 15


async def test_the_limit_of_the_answers_is_reported_for_all(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(n=3, max_tokens=5))
    assert isinstance(events[0], Accepted) and events[0].max_tokens == 15


async def test_several_prompts_are_answered_each_as_if_alone(runner: ProcessRunner) -> None:
    together = await ask(runner, completion(*PROMPTS, n=2, sampling=SEEDED))
    for place, prompt in enumerate(PROMPTS):
        alone = await ask(runner, completion(prompt, n=2, sampling=SEEDED))
        assert texts(together, 6)[2 * place : 2 * place + 2] == texts(alone, 2)


async def test_tokens_are_continued_as_they_are(runner: ProcessRunner) -> None:
    of_text, of_tokens = [await ask(runner, completion(prompt)) for prompt in ("abc", ids("abc"))]
    assert finish(of_tokens).usage.prompt_tokens == 3
    assert texts(of_tokens, 1) == texts(of_text, 1)


@pytest.mark.parametrize("token", [10**6, 2**31 - 1])
async def test_tokens_the_model_does_not_have_are_refused(runner: ProcessRunner, token: int) -> None:
    with pytest.raises(InvalidValue, match=f"no token {token}") as caught:
        await ask(runner, completion((5, token)))
    assert caught.value.param == "prompt"


async def test_an_echo_of_tokens_is_their_text(runner: ProcessRunner) -> None:
    events = await ask(runner, completion(ids("abc"), echo=True, max_tokens=0))
    assert texts(events, 1) == ["abc"]
    assert Ended(reason="length") in events
    assert finish(events).usage.completion_tokens == 0


async def test_an_echo_has_the_log_probability_of_every_token_but_the_first(runner: ProcessRunner) -> None:
    events = await ask(runner, completion(ids("abc"), echo=True, logprobs=2, max_tokens=2))
    found = logprobs(events)
    assert [one.text for one in found[:3]] == ["a", "b", "c"]
    assert [one.logprob is None for one in found] == [True, False, False, False, False]
    assert [len(one.top) for one in found] == [0, 2, 2, 2, 2]
    assert texts(events, 1)[0].startswith("abc")


async def test_what_is_scored_is_what_would_have_been_drawn(runner: ProcessRunner) -> None:
    drawn = await ask(runner, completion(ids("hello"), logprobs=0, max_tokens=6))
    whole = (*ids("hello"), *(octet for one in logprobs(drawn) for octet in ids(one.text)))
    scored = await ask(runner, completion(whole, echo=True, logprobs=0, max_tokens=0))
    pairs = zip(logprobs(scored)[5:], logprobs(drawn), strict=True)
    assert all(one.logprob == pytest.approx(other.logprob, abs=1e-3) for one, other in pairs)


async def test_each_of_n_answers_begins_with_the_scored_echo(runner: ProcessRunner) -> None:
    events = await ask(runner, completion("ab", echo=True, logprobs=0, max_tokens=0, n=2))
    assert texts(events, 2) == ["ab", "ab"]
    assert [one.text for one in logprobs(events)] == ["a", "b", "a", "b"]


async def test_an_answer_may_go_on_after_its_end(runner: ProcessRunner) -> None:
    end = Sampling(temperature=0, logit_bias=((END, 100.0),))
    assert finish(await ask(runner, chat(sampling=end))).usage.completion_tokens == 1
    on = await ask(runner, chat(sampling=end, ignores_end=True))
    assert finish(on).usage.completion_tokens == 12
    assert Ended(reason="length") in on


async def test_one_of_several_prompts_beyond_the_context_refuses_all(runner: ProcessRunner) -> None:
    with pytest.raises(ContextLengthExceeded):
        await ask(runner, completion("short", "x" * 9000))
    assert texts(await ask(runner, completion("short")), 1)[0]


async def steps_at_rest(runner: ProcessRunner) -> int:
    """Return the engine's step count once no heartbeat raises it any more."""
    before = -1
    while before != runner.steps:
        before = runner.steps
        await asyncio.sleep(1.3)
    return before


@pytest.mark.parametrize("answers", [1, 4])
async def test_leaving_ends_every_answer(runner: ProcessRunner, answers: int) -> None:
    before = await steps_at_rest(runner)
    events = runner.submit(endless_chat(n=answers))
    async for event in events:
        if isinstance(event, TextDelta):
            break
    await events.aclose()
    assert await steps_at_rest(runner) - before < 3000


async def test_a_prompt_is_scored_beside_its_answer(runner: ProcessRunner) -> None:
    prompt = ids("hello")
    fields = {"prompt_logprobs": 3, "max_tokens": 4, "returns_token_ids": True}
    events = await ask(runner, completion(prompt, **fields))
    (scored,) = [event.logprobs for event in events if isinstance(event, PromptLogprobs)]
    assert [one.id for one in scored] == list(prompt)
    assert [len(one.top) for one in scored] == [0, 3, 3, 3, 3]
    for one in scored[1:]:
        assert [other.rank for other in one.top] == [1, 2, 3]
        by_id = {other.id: (other.rank, other.logprob) for other in one.top}
        assert one.rank and by_id.get(one.id, (one.rank, one.logprob)) == (one.rank, one.logprob)
        assert (one.rank <= 3) == (one.id in by_id)
    plain = await ask(runner, completion(prompt, max_tokens=4))
    assert texts(events, 1) == texts(plain, 1)
    reported = [token for event in events for token in getattr(event, "ids", ())]
    assert TOKENIZER.decode(reported) == texts(plain, 1)[0]
    assert len(reported) == finish(events).usage.completion_tokens
    echoed = await ask(runner, completion(prompt, echo=True, logprobs=0, max_tokens=0))
    assert [one.logprob for one in logprobs(echoed)] == [one.logprob for one in scored]


async def test_a_chats_prompt_is_scored(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(prompt_logprobs=0, returns_token_ids=True))
    accepted = next(event for event in events if isinstance(event, Accepted))
    scored = [one for event in events if isinstance(event, PromptLogprobs) for one in event.logprobs]
    assert tuple(one.id for one in scored) == accepted.prompts[0]
    assert finish(events).usage.cached_tokens == 0
    assert finish(events).usage.completion_tokens > 0
