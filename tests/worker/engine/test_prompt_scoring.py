"""What a model thinks of a prompt's own tokens."""

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Scored
from tests.worker.models import run, sequence, tiny, tokens

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def scored(model: nn.Module, length: int, **changes: object) -> tuple[Scored, list[Sampled]]:
    batch = Batch(model, max_batch=8, prefill_step=64)
    batch.add(sequence(1, length, scores_prompt=True, logprobs=2, **changes))  # type: ignore[arg-type]
    found: list[Scored] = []
    generated: list[Sampled] = []
    while batch.is_busy:
        for output in batch.step():
            if isinstance(output, Scored):
                found.append(output)
            if isinstance(output, Sampled):
                generated.append(output)
    (one,) = found
    return one, generated


@pytest.mark.parametrize("length", [1, 2, 64, 65, 66, 150])
def test_each_token_has_the_log_probability_the_model_gives_it(model: nn.Module, length: int) -> None:
    output, _ = scored(model, length)
    prompt = sequence(1, length).prompt
    logits = model(mx.array([prompt]))[0]
    expected = np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
    assert output.tokens == prompt
    assert [one.value for one in output.logprobs] == pytest.approx(
        [float(expected[place, token]) for place, token in enumerate(prompt[1:])], abs=1e-4
    )


def test_the_likeliest_ones_come_first(model: nn.Module) -> None:
    output, _ = scored(model, 70)
    logits = model(mx.array([sequence(1, 70).prompt]))[0]
    for place, one in enumerate(output.logprobs):
        assert len(one.top) == 2 and one.top[0][1] >= one.top[1][1]
        assert one.top[0][0] == mx.argmax(logits[place]).item()


@pytest.mark.parametrize("length", [1, 2, 100])
def test_the_answer_is_the_same_as_without_it(model: nn.Module, length: int) -> None:
    batch = Batch(model, max_batch=8, prefill_step=64)
    batch.add(sequence(1, length))
    _, generated = scored(model, length)
    assert tokens(generated) == tokens(run(batch)[1])


def test_a_prompt_may_be_scored_without_any_answer(model: nn.Module) -> None:
    output, generated = scored(model, 40, max_tokens=0)
    assert len(output.logprobs) == 39 and not generated


def test_a_cancelled_sequence_is_scored_no_further(model: nn.Module) -> None:
    batch = Batch(model, max_batch=8, prefill_step=64)
    batch.add(
        sequence(1, 500, scores_prompt=True, logprobs=0), sequence(2, 500, scores_prompt=True, logprobs=0)
    )
    list(batch.step())
    batch.remove(1)
    assert batch.ids == [2]
    batch.remove(2)
    assert not batch.is_busy


def test_it_reports_how_far_it_is_and_that_nothing_was_cached(model: nn.Module) -> None:
    batch = Batch(model, max_batch=8, prefill_step=64)
    batch.add(sequence(1, 150, scores_prompt=True, logprobs=0, max_tokens=0))
    outputs: list[object] = []
    while batch.is_busy:
        outputs += batch.step()
    answer = [(one.done, one.total, one.cached) for one in outputs if isinstance(one, Prefilled)]
    assert answer == [(64, 150, 0), (128, 150, 0), (149, 150, 0)]


@pytest.mark.parametrize("length", [2, 70])
def test_each_token_has_its_rank(model: nn.Module, length: int) -> None:
    output, _ = scored(model, length)
    prompt = sequence(1, length).prompt
    logits = np.array(model(mx.array([prompt]))[0])
    expected = [
        1 + int((logits[place] > logits[place, token]).sum()) for place, token in enumerate(prompt[1:])
    ]
    assert [one.rank for one in output.logprobs] == pytest.approx(expected, abs=1)
