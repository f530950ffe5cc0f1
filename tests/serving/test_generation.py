from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from msgspec import structs

from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Event
from inference.core.pool_state import Memory
from inference.core.principal import Principal
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Request,
    Sampling,
    Tool,
)
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.answer_lengths import UNKNOWN
from inference.serving import generation
from inference.serving.active_requests import STREAMS
from tests.each import each
from tests.fakes import GB, FakeRunner, card, serving

ME = Principal(kind="local")


def ask(text: str, max_tokens: int | None = None) -> ChatRequest:
    return ChatRequest(model="tiny", messages=(Message(role="user", content=text),), max_tokens=max_tokens)


@each(
    ("request_", "tokens", "answers"),
    [
        (ask("x" * 300, 50), 100 + 16, Answers(1, 50)),
        (ask("日" * 100, 50), 100 + 16, Answers(1, 50)),  # one token a character
        (ask("", 0), 16, Answers(1, 0)),
        (ask("\ud800", 1), 16, Answers(1, 1)),  # half of a surrogate pair
        (ask(""), 16, Answers(1)),
        (CompletionRequest(model="tiny", prompts=("x" * 30,), max_tokens=5), 10 + 16, Answers(1, 5)),
        (structs.replace(ask("x" * 300, 50), n=3), 3 * (100 + 16), Answers(3, 50)),
        (
            CompletionRequest(model="tiny", prompts=((1, 2, 3), "x" * 30), n=2, max_tokens=5),
            2 * (3 + 10 + 16),
            Answers(4, 5),
        ),
        (structs.replace(ask("", 0), tools=(Tool(name="a" * 20, parameters="b" * 40),)), 52, Answers(1, 0)),
        (EmbeddingRequest(model="tiny", inputs=("x" * 300,)), 0, None),
    ],
)
def test_an_estimate_counts_text_messages_and_answers(
    request_: Request, tokens: int, answers: Answers | None
) -> None:
    assert generation.prompt_tokens(request_) == tokens
    assert generation.answers_of(request_) == answers


async def test_a_long_answer_reserves_its_first_slice_alone() -> None:
    with serving(FakeRunner(prompt_tokens=7), cards=[card("tiny", kv_bytes_per_token=1000)]) as pool:
        async with aclosing(generation.stream(ask("hi", 65_000), ME)) as events:
            async for event in events:
                if isinstance(event, Accepted):
                    reserved = pool.snapshot().reserved_bytes - GB
    assert reserved == (7 + UNKNOWN) * 1000


async def test_later_answers_reserve_what_those_before_them_took() -> None:
    runner = FakeRunner(["word"] * 70, prompt_tokens=7)
    with serving(runner, cards=[card("tiny", kv_bytes_per_token=1000)]) as pool:
        for _ in range(9):
            async with aclosing(generation.stream(ask("hi", 10**6), ME)) as events:
                async for event in events:
                    if isinstance(event, Accepted):
                        reserved = pool.snapshot().reserved_bytes - GB
            runner.report(runner.memory)
    assert reserved == (7 + 128) * 1000  # 70 tokens, rounded up


async def test_a_request_reserves_its_estimate_and_settles_once_it_is_accepted() -> None:
    thinker = card("tiny", kv_bytes_per_token=1000)
    with serving(FakeRunner(prompt_tokens=7), cards=[thinker]) as pool:
        reserved: dict[type[Event], int] = {}
        async with aclosing(generation.stream(ask("x" * 300, 50), ME)) as events:
            async for event in events:
                reserved[type(event)] = pool.snapshot().reserved_bytes - GB
    assert reserved[Accepted] == (7 + 50) * 1000


async def test_each_copy_of_a_prompt_is_reserved() -> None:
    with serving(FakeRunner(prompt_tokens=7), cards=[card("tiny", kv_bytes_per_token=1000)]) as pool:
        async with aclosing(generation.stream(structs.replace(ask("hi", 50), n=3), ME)) as events:
            async for event in events:
                if isinstance(event, Accepted):
                    reserved = pool.snapshot().reserved_bytes - GB
    assert reserved == (3 * 7 + 50) * 1000  # the fake counts one answer


@pytest.mark.parametrize("field", ["user", "cache_key"])
async def test_prefixes_are_kept_apart_where_the_client_says_so(field: str) -> None:
    runner = FakeRunner()
    with serving(runner):
        for value in ("a", "b", ""):
            async with aclosing(
                generation.stream(structs.replace(ask("hi"), **{field: value}), ME)
            ) as events:
                _ = [event async for event in events]
    assert len(set(runner.owners)) == 3 and runner.owners[2] == ME.owner


async def test_the_operators_sampling_is_for_what_a_request_leaves_open() -> None:
    runner = FakeRunner()
    chosen = Sampling(temperature=0.3, top_k=7, repetition_penalty=1.1)
    mine = structs.replace(ask("hi"), sampling=Sampling(temperature=0.9, seed=5))
    with serving(runner, cards=[card("tiny", sampling=chosen)]):
        async with aclosing(generation.stream(mine, ME)) as events:
            _ = [event async for event in events]
    (asked,) = runner.requests
    assert isinstance(asked, ChatRequest)
    assert asked.sampling == Sampling(temperature=0.9, top_k=7, repetition_penalty=1.1, seed=5)


class Onlooker(FakeRunner):
    """Looks at the requests under way when it is asked, before it accepts anything."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.seen = STREAMS.snapshot()
        async for event in super().submit(request, owner):
            yield event


async def test_a_request_that_has_its_model_waits_for_none() -> None:
    runner = Onlooker()
    with serving(runner):
        async with aclosing(generation.stream(ask("hi"), ME)) as events:
            _ = [event async for event in events]
    assert [stream.phase for stream in runner.seen] == ["prefill"]


async def test_the_owners_name_goes_to_the_worker() -> None:
    runner = FakeRunner()
    with serving(runner):
        async with aclosing(generation.stream(ask("hi"), Principal(kind="key", name="me"))) as events:
            _ = [event async for event in events]
    assert runner.owners == ["key:me"]


async def test_a_refusal_for_length_tells_which_context_fits() -> None:
    """What the refused request had reserved counts as free."""
    refusing = FakeRunner(refuse_with=ContextLengthExceeded("Too long.", lengths=(7000, 6000)))
    refusing.memory = Memory(active=4 * GB, resident=4 * GB)
    wide = card(resident_bytes=4 * GB, kv_bytes_per_token=10**6, context_length=100_000)
    with serving(refusing, cards=[wide]) as pool:
        with pytest.raises(ContextLengthExceeded) as refused:
            async with aclosing(generation.stream(ask("x" * 9000), ME)) as events:
                _ = [event async for event in events]
        await pool.close()
    assert refused.value.message == (
        "Too long. The context of this model is 6000 tokens here: of its own 100000 no more fit this "
        "server's memory. Memory is free for 6000 of them now."
    )
