"""Tokenizing and detokenizing, which the prompt thread answers without the engine."""

import pytest

from inference.core.events import Accepted, Tokenized
from inference.core.protocol import Submit
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    Message,
    TokenizeRequest,
)
from tests.worker.engine_stub import EngineStub, sequences_of

pytestmark = pytest.mark.mlx


def test_tokens_are_counted_without_the_engine() -> None:
    stub = EngineStub()
    prompt = CompletionRequest(model="m", prompts=("Once", "ab"))
    stub.requests.prepare(Submit(id=1, request=TokenizeRequest(of=prompt)))
    step = stub.frames.get(timeout=5)
    accepted, tokenized, finished = [happened.what for happened in step.happened]
    assert (accepted, tokenized.texts) == (Accepted(prompt_tokens=0), ("Once", "ab"))
    assert isinstance(tokenized, Tokenized) and stub.commands.empty()
    assert finished.usage.prompt_tokens == sum(map(len, tokenized.tokens)) == 6


def test_a_dry_run_is_what_the_request_is_given() -> None:
    stub = EngineStub()
    request = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), max_tokens=3)
    stub.requests.prepare(Submit(id=1, request=TokenizeRequest(of=request)))
    tokenized = stub.frames.get(timeout=5).happened[1].what
    stub.requests.prepare(Submit(id=2, request=request))
    (sequence,) = sequences_of(stub.commands.get(timeout=5))
    assert tokenized.tokens == (sequence.prompt,)
    assert tokenized.texts == ("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",)


def test_token_ids_become_text() -> None:
    stub = EngineStub()
    ids = tuple(stub.tokenizer.encode("h\u00e9 \u4f60"))
    stub.requests.prepare(Submit(id=1, request=DetokenizeRequest(model="m", tokens=ids)))
    assert stub.frames.get(timeout=5).happened[1].what.texts == ("h\u00e9 \u4f60",)


def test_an_id_the_model_does_not_have_is_no_text() -> None:
    stub = EngineStub()
    stub.requests.prepare(Submit(id=1, request=DetokenizeRequest(model="m", tokens=(1, 99_999))))
    refusal = stub.next_event(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "tokens")
