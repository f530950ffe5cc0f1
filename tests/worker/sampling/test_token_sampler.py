"""One sequence's penalties, biases and log probabilities, against the same arithmetic in numpy."""

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from inference.core.requests import Sampling
from inference.worker.sampling.grammar import mask
from inference.worker.sampling.token_sampler import TokenSampler, sample_rows
from tests.worker.sampling.test_grammar import CITY, asking, grammar_of, loaded

pytestmark = pytest.mark.mlx
SIZE = 12
LOGITS = np.random.default_rng(0).standard_normal(SIZE).astype(np.float32) * 3
PROMPT = (1, 2, 2, 3)
GREEDY = Sampling(temperature=0.0)


def processed(sampling: Sampling, answer: tuple[int, ...], answered: tuple[int, ...] = ()) -> Any:
    """The logits after the tokens of `answer` have been chosen one by one."""
    sampler = TokenSampler(sampling, prompt=PROMPT, answered=answered)
    last = (*PROMPT, *answered)[-1]
    for token in (last, *answer):
        row = sampler.process(mx.array([token], dtype=mx.uint32), mx.array(LOGITS)[None])
    return np.array(row)[0]


def wanted(sampling: Sampling, answer: tuple[int, ...]) -> Any:
    logits = LOGITS.astype(np.float64)
    repetition = sampling.repetition_penalty or 1.0
    for token in {*PROMPT, *answer}:
        logits[token] = logits[token] / repetition if logits[token] > 0 else logits[token] * repetition
    for token in set(answer):
        logits[token] -= sampling.frequency_penalty * answer.count(token) + sampling.presence_penalty
    for token, bias in sampling.logit_bias:
        logits[token] += bias
    return logits


@pytest.mark.parametrize("answer", [(), (5,), (5, 5, 2), (2, 7, 7, 7, 11)])
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(presence_penalty=0.5),
        Sampling(frequency_penalty=-0.7),
        Sampling(repetition_penalty=1.3),
        Sampling(repetition_penalty=0.8, presence_penalty=1.0, frequency_penalty=0.3),
        Sampling(logit_bias=((4, 2.5), (0, -100.0), (4, 0.5))),
        Sampling(frequency_penalty=0.4, logit_bias=((5, 1.0),)),
    ],
)
def test_logits_are_penalised_and_biased(sampling: Sampling, answer: tuple[int, ...]) -> None:
    assert np.allclose(processed(sampling, answer), wanted(sampling, answer), atol=1e-4)


def test_an_answer_given_out_before_counts_as_answer() -> None:
    sampling = Sampling(frequency_penalty=0.4, repetition_penalty=1.2)
    assert np.allclose(processed(sampling, (7,), answered=(5, 5)), wanted(sampling, (5, 5, 7)), atol=1e-4)


@pytest.mark.parametrize(
    ("sampling", "changes"),
    [
        (GREEDY, False),
        (Sampling(seed=3, top_p=0.5, top_k=4, min_p=0.1), False),
        (Sampling(presence_penalty=0.1), True),
        (Sampling(repetition_penalty=1.0), False),
        (Sampling(logit_bias=((1, 1.0),)), True),
    ],
)
def test_logits_are_left_alone_unless_something_changes_them(sampling: Sampling, changes: bool) -> None:
    assert TokenSampler(sampling).changes_logits is changes


def test_rows_of_different_shapes_keep_their_order() -> None:
    logits = mx.array(np.eye(6, dtype=np.float32) * 100)
    samplers = [TokenSampler(Sampling(temperature=t)) for t in (0.0, 0.5, 0.0, 0.5, 0.7, 0.0)]
    assert sample_rows(samplers, logits).tolist() == list(range(6))


def test_a_seed_moves_on_from_token_to_token() -> None:
    sampler = TokenSampler(Sampling(seed=1))
    assert [sampler.next_draw().position for _ in range(3)] == [0, 1, 2]


def test_alternatives_are_the_likeliest_in_order() -> None:
    sampler = TokenSampler(GREEDY, logprobs=4)
    result = sampler.logprob_for(mx.array(LOGITS), mx.array(3)).read()
    logprobs = LOGITS - np.log(np.exp(LOGITS).sum())
    assert result.value == pytest.approx(float(logprobs[3]), abs=1e-5)
    assert [token for token, _ in result.top] == np.argsort(-LOGITS)[:4].tolist()


def test_no_alternatives_are_a_figure_alone() -> None:
    assert TokenSampler(GREEDY, logprobs=0).logprob_for(mx.array(LOGITS), mx.array(3)).read().top == ()


def test_only_allowed_tokens_can_be_drawn() -> None:
    allowed = np.zeros(SIZE, np.bool_)
    allowed[[2, 7]] = True
    masked = np.array(mask(mx.array(LOGITS)[None], allowed))[0]
    assert np.isfinite(masked).nonzero()[0].tolist() == [2, 7]
    assert np.allclose(masked[[2, 7]], LOGITS[[2, 7]])
    assert np.allclose(np.array(mask(mx.array(LOGITS)[None], None))[0], LOGITS)


def test_a_chooser_that_can_follow_its_grammar_no_further_says_so_with_the_end() -> None:
    model, tokenizer = loaded()
    sampler = TokenSampler(GREEDY, grammar=grammar_of(model, asking(CITY)))
    token, logits = mx.array([0], dtype=mx.uint32), mx.zeros((1, model.vocab_size))
    sampler.process(token, logits)
    had_logprob = sampler.has_logprob
    sampler.observe(0)
    for wrong in tokenizer.encode("no"):
        sampler.observe(wrong)
    row = sampler.process(token, logits)[0]
    chosen = sample_rows([sampler], row[None])[0]
    assert int(chosen.item()) in model.stop_ids  # type: ignore[arg-type]
    broken = sampler.logprob_for(row, chosen).read().failure
    assert (had_logprob, sampler.has_logprob) == (False, True)
    assert broken and broken.param == "response_format.json_schema.schema"
