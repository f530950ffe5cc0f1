"""The worker's open requests: a failure of one answer reaches no other."""

import time
from typing import Any

import pytest

from inference.core.events import Ended, Finished, Progress, TextDelta
from inference.core.protocol import Submit
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    Message,
    Sampling,
)
from inference.worker.engine.commands import Add, Limit, Remove
from inference.worker.engine.sequence import Prefilled, Sampled, Suspended
from inference.worker.sampling.grammar import GrammarFailure
from inference.worker.sampling.logprobs import Logprob
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx


def test_what_a_request_leaves_open_is_the_models_own() -> None:
    assert EngineStub().submit(1, max_tokens=3)[0].sampling.temperature == 0.2
    assert (
        EngineStub().submit(1, max_tokens=3, sampling=Sampling(temperature=1.5))[0].sampling.temperature
        == 1.5
    )


def test_tokens_become_text_and_an_end() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=2)
    stub.generate(1, "ab", last=True)
    assert [type(stub.next_event(1)) for _ in range(2)] == [TextDelta, TextDelta]


def test_a_stop_string_takes_the_sequence_out_of_the_batch() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=50, stop=("b",))
    stub.generate(1, "abc")
    assert stub.next_event(1).text == "a"
    assert stub.next_event(1) == Ended(reason="stop", stop="b")
    assert stub.commands.get(timeout=5) == Remove(1)


def test_one_answers_broken_text_ends_that_answer_only() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=50)
    stub.submit(2, max_tokens=50)
    stub.requests.deliver([Sampled(1, "no token id", None)])  # type: ignore[arg-type]
    assert stub.next_event(1).code == "internal_error"
    stub.generate(2, "x")
    assert stub.next_event(2).text == "x"


def test_an_answer_that_could_not_follow_its_schema_ends_with_the_field_that_asked_for_it() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=50)
    stub.submit(2, max_tokens=50)
    unfinishable = Logprob(
        0.0, failure=GrammarFailure("Nothing follows the schema.", "tools.0.function.parameters")
    )
    stub.requests.deliver([Sampled(1, 5, "stop", unfinishable)])
    failure = stub.next_event(1)
    assert (failure.code, failure.param) == ("invalid_value", "tools.0.function.parameters")
    assert stub.commands.get(timeout=5) == Remove(1)
    stub.generate(2, "x")
    assert stub.next_event(2).text == "x"


def test_what_the_engine_still_made_of_a_left_request_is_nobodys() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=50)
    stub.requests.cancel(1)
    stub.generate(1, "x")
    assert [stub.commands.get(timeout=5) for _ in range(2)] == [Remove(1), Remove(1)]
    assert stub.frames.empty()


def test_lost_sequences_fail() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=50)
    stub.requests.fail([1, 99])
    assert stub.next_event(1).code == "internal_error"


def test_cached_tokens_are_part_of_the_usage() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=1)
    stub.requests.deliver([Prefilled(1, 4, 4, cached=3)])
    stub.generate(1, "a", last=True)
    assert stub.next_event(1) == Progress(phase="prefill", done=4, total=4, cached=3)
    step = stub.frames.get(timeout=5)
    assert step.happened[-1].what.usage.cached_tokens == 3


def test_every_answer_of_a_request_ends_by_itself() -> None:
    stub = EngineStub()
    first, second = list(stub.submit(1, max_tokens=50, n=2))
    stub.generate(second.id, "c", last=True)
    stub.generate(first.id, "ab", last=True)
    events: list[Any] = []
    while not events or not isinstance(events[-1], Finished):
        events += [item.what for item in stub.frames.get(timeout=5).happened]
    assert events == [
        TextDelta(text="c", index=1),
        Ended(reason="length", index=1),
        TextDelta(text="a", index=0),
        TextDelta(text="b", index=0),
        Ended(reason="length", index=0),
        events[-1],
    ]
    assert events[-1].usage.completion_tokens == 3


def test_a_pause_is_shown_and_counts_for_no_phase() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=2)
    stub.generate(1, "a")
    assert stub.next_event(1).text == "a"
    stub.requests.deliver([Suspended(1)])
    assert stub.next_event(1) == Progress(phase="paused")
    time.sleep(0.2)
    stub.requests.deliver([Prefilled(1, 5, 5, cached=4)])
    assert stub.next_event(1) == Progress(phase="prefill", done=4, total=4, cached=4)
    stub.generate(1, "b", last=True)
    finished = stub.until_finished()[-1].happened[-1].what
    assert isinstance(finished, Finished)
    assert finished.timings.paused_s >= 0.2 > finished.timings.decode_s


def test_answers_that_are_cut_short_end_where_they_are() -> None:
    stub = EngineStub()
    first, second = stub.submit(1, max_tokens=50, n=2)
    stub.generate(first.id, "a", last=True)
    assert [item.what for item in stub.frames.get(timeout=5).happened][1:] == [Ended(reason="length")]
    stub.generate(second.id, "bc")
    stub.requests.cut_short(1)
    events = [item.what for step in stub.until_finished() for item in step.happened]
    assert [one for one in events if isinstance(one, Ended)] == [Ended(reason="length", index=1)]
    assert isinstance(finished := events[-1], Finished)
    assert (finished.cut_by, finished.usage.completion_tokens) == ("memory", 3)
    assert stub.commands.get(timeout=5) == Remove(second.id)
    stub.requests.cut_short(1)
    stub.requests.cut_short(99)


def test_what_is_granted_comes_before_the_sequences() -> None:
    stub = EngineStub()
    request = CompletionRequest(model="m", prompts=("Once", "Twice"), max_tokens=9)
    stub.requests.prepare(Submit(id=1, request=request, tokens=5, kv_tokens=30))
    limit, *adds = [stub.commands.get(timeout=5) for _ in range(3)]
    assert isinstance(limit, Limit) and (limit.request, limit.tokens, limit.kv_tokens) == (1, 5, 30)
    assert limit.sequences == tuple(one for add in adds if isinstance(add, Add) for one in add.sequences)


def test_a_lost_answer_ends_the_request_and_frees_the_others() -> None:
    stub = EngineStub()
    first, second = list(stub.submit(1, max_tokens=50, n=2))
    stub.requests.fail([second.id])
    assert stub.next_event(1).code == "internal_error"
    assert {stub.commands.get(timeout=5) for _ in range(2)} == {Remove(first.id), Remove(second.id)}


def test_copies_draw_with_the_seeds_that_follow() -> None:
    sequences = EngineStub().submit(1, max_tokens=5, n=3, sampling=Sampling(seed=7))
    assert [sequence.sampling.seed for sequence in sequences] == [7, 8, 9]


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (Sampling(), (0.2, 1.0, 0.0)),
        (Sampling(temperature=0.7, top_p=0.5), (0.7, 0.5, 0.0)),
        (Sampling(temperature=0.0, presence_penalty=1.5), (0.0, 1.0, 1.5)),
    ],
)
def test_it_reports_what_the_tokens_are_drawn_with(asked: Sampling, used: tuple[float, ...]) -> None:
    stub = EngineStub()
    request = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), sampling=asked)
    stub.requests.prepare(Submit(id=1, request=request))
    used_sampling = stub.next_event(1).sampling
    assert (used_sampling.temperature, used_sampling.top_p, used_sampling.presence_penalty) == used


def test_leaving_frees_every_sequence() -> None:
    stub = EngineStub()
    sequences = stub.submit(1, max_tokens=50, n=3)
    stub.requests.cancel(1)
    assert [stub.commands.get(timeout=5) for _ in sequences] == [Remove(one.id) for one in sequences]
