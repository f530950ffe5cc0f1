"""The log probabilities of a prompt as events, and the ids of an answer's tokens."""

import pytest

from inference.core.events import Ended, Event, Finished, PromptLogprobs, TextDelta
from inference.worker.engine.sequence import Sampled, Scored
from inference.worker.sampling.logprobs import Logprob
from inference.worker.token_logprobs import TokenLogprobs
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx


def scored(stub: EngineStub, sequence: int, text: str) -> Scored:
    ids = stub.tokenizer.encode(text)
    logprob = Logprob(-1.0, ((ids[0], -0.25), (ids[1], -0.75)), rank=4)
    return Scored(sequence, tuple(ids), (logprob,) * (len(ids) - 1))


def ids_of(event: Event | None) -> tuple[int, ...]:
    """The ids of a piece of an answer, or of its end."""
    assert isinstance(event, TextDelta | Ended)
    return event.ids


def test_each_token_of_a_prompt_has_its_id_and_rank() -> None:
    stub = EngineStub()
    (event,) = TokenLogprobs(stub.tokenizer).events_of_prompt(scored(stub, 1, "abc"), 2, 1)
    first, second, _ = event.logprobs
    a, b, _ = stub.tokenizer.encode("abc")
    assert event.prompt == 2
    assert (first.id, first.logprob, first.rank, first.top) == (a, None, None, ())
    assert (second.id, second.text, second.logprob, second.rank) == (b, "b", -1.0, 4)
    assert [(one.id, one.rank, one.logprob) for one in second.top] == [(a, 1, -0.25)]


def test_a_long_prompt_comes_in_pieces() -> None:
    stub = EngineStub()
    events = TokenLogprobs(stub.tokenizer).events_of_prompt(scored(stub, 1, "ab" * 1500), 0, 0)
    assert [len(event.logprobs) for event in events] == [1024, 1024, 952]


def test_a_prompt_is_scored_once_however_many_answers_it_has() -> None:
    stub = EngineStub()
    sequences = stub.submit(1, max_tokens=0, n=2, prompt_logprobs=2)
    assert all(one.scores_prompt and one.prompt_alternatives == 2 for one in sequences)
    stub.requests.deliver([scored(stub, one.id, "ab") for one in sequences])
    events = [item.what for step in stub.until_finished() for item in step.happened]
    kinds = [type(event) for event in events[:-1]]
    assert kinds == [PromptLogprobs, Ended, Ended]


def test_an_echo_and_a_scored_prompt_have_their_own_numbers_of_alternatives() -> None:
    stub = EngineStub()
    (sequence,) = stub.submit(1, max_tokens=0, echo=True, logprobs=1, prompt_logprobs=2)
    stub.requests.deliver([scored(stub, sequence.id, "ab")])
    prompt, echo, *_ = [item.what for step in stub.until_finished() for item in step.happened]
    assert isinstance(prompt, PromptLogprobs) and isinstance(echo, TextDelta)
    assert (len(prompt.logprobs[1].top), len(echo.logprobs[1].top)) == (2, 1)


def test_every_generated_token_is_reported_once_and_the_end_too() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=9, returns_token_ids=True, stop=("d",))
    ids = stub.tokenizer.encode("abcd")
    stub.requests.deliver([Sampled(1, token, None) for token in ids])
    events = [item.what for step in stub.until_finished() for item in step.happened]
    assert [token for event in events[:-1] for token in ids_of(event)] == ids
    assert isinstance(events[-1], Finished) and events[-1].usage.completion_tokens == len(ids)


def test_a_token_that_ends_the_answer_has_an_id_and_no_text() -> None:
    stub = EngineStub()
    (sequence,) = stub.submit(1, max_tokens=9, returns_token_ids=True)
    (a,), end = stub.tokenizer.encode("a"), min(sequence.stop_ids)
    stub.requests.deliver([Sampled(1, a, None), Sampled(1, end, "stop")])
    events = [item.what for step in stub.until_finished() for item in step.happened]
    assert [ids_of(event) for event in events[:-1]] == [(a,), (end,)]


def test_ids_are_reported_to_those_who_ask() -> None:
    stub = EngineStub()
    stub.submit(1, max_tokens=9)
    stub.generate(1, "ab", last=True)
    events = [item.what for step in stub.until_finished() for item in step.happened]
    assert all(ids_of(event) == () for event in events[:-1])
