"""Prompts that are cut at their beginning."""

import pytest

from inference.core.events import Accepted, TextDelta
from inference.core.protocol import Submit
from inference.core.requests import ChatRequest, CompletionRequest, Message
from inference.worker.text.prompt_truncation import cut
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx
PROMPT = list(range(20))


def kept(limit: int | None, *, context: int = 100, answer_tokens: int = 10) -> list[int]:
    request = CompletionRequest(model="m", prompts=("Once",), prompt_limit=limit)
    _, (prompt,) = cut(request, [PROMPT], context=context, answer_tokens=answer_tokens)
    return prompt


@pytest.mark.parametrize(("limit", "left"), [(None, 20), (20, 20), (500, 20), (19, 19), (3, 3), (1, 1)])
def test_the_last_tokens_are_kept(limit: int | None, left: int) -> None:
    assert kept(limit) == PROMPT[-left:]


@pytest.mark.parametrize(
    ("context", "answer_tokens", "left"), [(100, 10, 20), (20, 5, 15), (20, 0, 19), (20, 4096, 10)]
)
def test_what_fits_is_what_the_answer_leaves(context: int, answer_tokens: int, left: int) -> None:
    assert kept(-1, context=context, answer_tokens=answer_tokens) == PROMPT[-left:]


def test_an_echo_is_the_text_of_what_is_left() -> None:
    stub = EngineStub()
    request = CompletionRequest(model="m", prompts=("Once upon",), echo=True, max_tokens=0, prompt_limit=4)
    stub.requests.prepare(Submit(id=1, request=request))
    step = stub.frames.get(timeout=5)
    accepted, echo, *_ = [item.what for item in step.happened]
    assert isinstance(accepted, Accepted) and isinstance(echo, TextDelta)
    whole = stub.tokenizer.encode_prompt("Once upon")
    assert (accepted.prompt_tokens, accepted.cut_tokens) == (4, len(whole) - 4)
    assert echo.text == stub.tokenizer.decode(whole[-4:])


def test_a_conversation_that_is_too_long_is_cut_to_the_context() -> None:
    stub = EngineStub(context_length=100)
    message = Message(role="user", content="abc " * 100)
    request = ChatRequest(model="m", messages=(message,), max_tokens=10)
    stub.requests.prepare(Submit(id=1, request=request))
    assert stub.next_event(1).code == "context_length_exceeded"
    request = ChatRequest(model="m", messages=(message,), max_tokens=10, prompt_limit=-1)
    stub.requests.prepare(Submit(id=2, request=request))
    accepted = stub.next_event(2)
    assert (accepted.prompt_tokens, accepted.answer_limit) == (90, 10)
    assert accepted.cut_tokens > 300


def test_each_of_several_prompts_is_cut() -> None:
    stub = EngineStub()
    request = CompletionRequest(
        model="m", prompts=("abcdef", (1, 2, 3)), max_tokens=5, prompt_limit=2, returns_token_ids=True
    )
    stub.requests.prepare(Submit(id=1, request=request))
    accepted = stub.next_event(1)
    assert accepted.prompts == (tuple(stub.tokenizer.encode("ef")), (2, 3))


@pytest.mark.parametrize(("most", "left"), [(None, 5904), (100, 9900), (32_000, 5000)])
def test_a_prompt_is_cut_for_a_usual_answer_where_none_is_named(most: int | None, left: int) -> None:
    stub = EngineStub(context_length=10_000)
    message = Message(role="user", content="a b c d e f g h " * 1000)
    request = ChatRequest(model="m", messages=(message,), max_tokens=most, prompt_limit=-1)
    stub.requests.prepare(Submit(id=1, request=request))
    accepted = stub.next_event(1)
    assert (accepted.prompt_tokens, accepted.answer_limit) == (left, min(10_000 - left, most or 10_000))
