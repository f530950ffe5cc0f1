"""Requests that the loaded model cannot compute are refused before the engine sees them."""

import pytest

from inference.core.events import Accepted
from inference.core.protocol import Submit
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    Message,
    Sampling,
)
from tests.tiny import SPECIAL
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx


def test_a_token_beyond_the_models_vocabulary_is_refused() -> None:
    stub = EngineStub(unknown_tokens=1)
    request = CompletionRequest(model="m", prompts=(SPECIAL[-1],), max_tokens=3)
    stub.requests.prepare(Submit(id=1, request=request))
    refusal = stub.next_event(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "prompt")
    assert stub.commands.empty()


@pytest.mark.parametrize("bias", [(10**9, 5.0), (-1, 1.0), (5, float("nan"))])
def test_a_bias_that_would_write_beyond_the_logits_is_refused(bias: tuple[int, float]) -> None:
    stub = EngineStub()
    request = CompletionRequest(model="m", prompts=("Once",), sampling=Sampling(logit_bias=(bias,)))
    stub.requests.prepare(Submit(id=1, request=request))
    refusal = stub.next_event(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "logit_bias")
    assert stub.commands.empty()


@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_a_prompt_far_beyond_the_context_is_refused_before_it_is_tokenised(kind: str) -> None:
    stub, text = EngineStub(), "x" * 2_000_000
    chat = ChatRequest(model="m", messages=(Message(role="user", content=text),))
    request = chat if kind == "chat" else CompletionRequest(model="m", prompts=(text,))
    stub.requests.prepare(Submit(id=1, request=request))
    refusal = stub.next_event(1)
    assert refusal.code == "context_length_exceeded" and "at least" in refusal.message


@pytest.mark.parametrize(("logprobs", "n", "tokens"), [(5, 8, 25_000), (0, 8, 130_000), (20, 1, 50_000)])
def test_an_echo_of_millions_of_log_probabilities_is_refused(logprobs: int, n: int, tokens: int) -> None:
    stub = EngineStub(context_length=10**6)
    stub.submit_echo(1, (65,) * tokens, n=n, logprobs=logprobs)
    refusal = stub.next_event(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "logprobs")
    stub.submit_echo(2, (65,) * 100, n=n, logprobs=logprobs)
    assert isinstance(stub.next_event(2), Accepted)


@pytest.mark.parametrize(
    ("alternatives", "n", "is_refused"), [(20, 1, True), (0, 8, False), (1, 8, False), (2, 8, True)]
)
def test_too_many_log_probabilities_of_a_prompt_are_refused(
    alternatives: int, n: int, is_refused: bool
) -> None:
    stub = EngineStub(context_length=100_000)
    prompt = tuple(stub.tokenizer.encode("ab")) * 30_000
    request = CompletionRequest(model="m", prompts=(prompt,), max_tokens=1, n=n, prompt_logprobs=alternatives)
    stub.requests.prepare(Submit(id=1, request=request))
    answer = stub.next_event(1)
    assert getattr(answer, "param", None) == ("prompt_logprobs" if is_refused else None)
    assert isinstance(answer, Accepted) != is_refused
