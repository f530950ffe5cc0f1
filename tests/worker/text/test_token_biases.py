"""A text in a logit bias stands for all of its tokens."""

import pytest

from inference.core.errors import InvalidValue
from inference.core.requests import CompletionRequest, Sampling, TokenRules
from inference.worker.text.token_biases import with_ids
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx


def encode(text: str) -> list[int]:
    return [ord(char) for char in text.strip("~")]


def asked(sampling: Sampling = Sampling(), rules: TokenRules = TokenRules()) -> CompletionRequest:  # noqa: B008 - frozen
    return CompletionRequest(model="m", prompts=("Once",), sampling=sampling, rules=rules)


def test_every_token_of_a_text_is_biased() -> None:
    made = with_ids(asked(Sampling(logit_bias=((5, 1.0),), text_bias=(("ab", -2.0), ("a", 0.5)))), encode)
    assert made.sampling.logit_bias == ((5, 1.0), (97, -2.0), (98, -2.0), (97, 0.5))
    assert made.sampling.text_bias == ()


def test_no_token_of_a_banned_text_may_come() -> None:
    made = with_ids(asked(rules=TokenRules(banned_ids=(5,), banned_texts=("ab",))), encode)
    assert (made.rules.banned_ids, made.rules.banned_texts) == ((5, 97, 98), ())


def test_a_request_without_texts_stays_as_it_is() -> None:
    request = asked(Sampling(logit_bias=((5, 1.0),)))
    assert with_ids(request, encode) is request


@pytest.mark.parametrize(
    "request_", [asked(Sampling(text_bias=(("~", 1.0),))), asked(rules=TokenRules(banned_texts=("~",)))]
)
def test_a_text_without_tokens_is_refused(request_: CompletionRequest) -> None:
    with pytest.raises(InvalidValue) as caught:
        with_ids(request_, encode)
    assert caught.value.param == "logit_bias"


def test_the_model_resolves_the_texts() -> None:
    stub = EngineStub()
    (sequence,) = stub.submit(
        1, max_tokens=3, sampling=Sampling(text_bias=(("ab", 3.0),)), rules=TokenRules(banned_texts=("cd",))
    )
    assert sequence.sampling.logit_bias == tuple((token, 3.0) for token in stub.tokenizer.encode("ab"))
    assert sequence.rules and sequence.rules.banned == tuple(
        sorted((token,) for token in stub.tokenizer.encode("cd"))
    )
