"""Drafts of a draft model, verified in the batch: the same tokens as without it."""

from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.prefill_budget import PrefillBudget
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.speculation.draft_model import DraftModel
from tests.nightly import of_each_kind
from tests.worker.engine.lookup import accepted, drafted, eager_batch, plain_batch
from tests.worker.engine.test_speculative_decode import KINDS, answers, told, wanted
from tests.worker.models import Counting, sequence, tiny

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def close(model: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    """A model that often, but not always, says what `model` says."""
    other = tiny(tmp_path_factory.mktemp("models") / "close")
    mx.random.seed(3)
    weight = model.lm_head.weight if "lm_head" in model else model.model.embed_tokens.weight
    other.load_weights(list(flat(model)))
    noise = 0.3 * mx.std(weight) * mx.random.normal(weight.shape)
    (other.lm_head if "lm_head" in other else other.model.embed_tokens).weight = weight + noise
    return other


def flat(model: nn.Module) -> list[tuple[str, mx.array]]:
    from mlx.utils import tree_flatten

    return list(tree_flatten(model.parameters()))


def drafting(model: nn.Module, draft: nn.Module, **options: Any) -> Batch:
    return eager_batch(model, draft_model=DraftModel(draft, 264), **options)


def speculative(one: Sequence) -> Sequence:
    return replace(one, speculates=True)


# test_speculative_decode.py has every kind: only where drafts come from differs.
@pytest.mark.parametrize("kind", of_each_kind(KINDS, ["greedy", "seeded", "penalised", "rules"]))
def test_an_answer_is_the_same_with_a_draft_model(model: nn.Module, close: nn.Module, kind: str) -> None:
    one = wanted(kind)
    plain = answers(plain_batch(model), one)[1]
    fast = answers(drafting(model, close), speculative(one))[1]
    assert told(fast) == told(plain)
    assert drafted(fast)


def test_a_model_that_is_right_makes_most_of_the_answer(model: nn.Module) -> None:
    fast = answers(drafting(model, model), speculative(wanted("greedy")))[1]
    assert told(fast) == told(answers(plain_batch(model), wanted("greedy"))[1])
    assert accepted(fast) == drafted(fast) > 25


def test_rows_of_all_kinds_join_and_leave(model: nn.Module) -> None:
    everyone = [wanted(kind, number) for number, kind in enumerate(KINDS, start=1)]
    everyone = [replace(one, max_tokens=15 + 7 * (one.id % 4)) for one in everyone]
    alone = {one.id: answers(plain_batch(model), one)[one.id] for one in everyone}
    waiting = [speculative(one) if one.id % 3 else one for one in everyone]
    batch, made = drafting(model, model), {one.id: list[Sampled]() for one in everyone}
    while waiting or batch.is_busy:
        if waiting:
            batch.add(waiting.pop())
        for output in [*batch.step(), *batch.step()]:
            if isinstance(output, Sampled):
                made[output.id].append(output)
    assert {number: told(one) for number, one in made.items()} == {n: told(one) for n, one in alone.items()}
    assert accepted([sampled for one in made.values() for sampled in one]) > len(KINDS)
    assert not any(drafted(one) for number, one in made.items() if number % 3 == 0)
    assert batch.kv_bytes == 0


@pytest.mark.parametrize("limit", of_each_kind([1, 2, 7, 16, 17], [1, 7]))
def test_an_answer_ends_at_its_limit_within_a_draft(model: nn.Module, limit: int) -> None:
    one = replace(speculative(wanted("seeded")), max_tokens=limit)
    generated = answers(drafting(model, model), one)[1]
    assert told(generated) == told(answers(plain_batch(model), one)[1])
    assert len(generated) == limit and generated[-1].finish == "length"


def test_a_long_prompt_is_prefilled_by_the_draft_model_between_steps(model: nn.Module) -> None:
    counting = Counting(model)
    one = speculative(sequence(1, 700, max_tokens=60))
    fast = answers(drafting(model, counting), one)[1]
    assert told(fast) == told(answers(plain_batch(model), one)[1])
    assert accepted(fast) > 30 and counting.tokens > 700


def test_others_are_drafted_for_while_a_long_prompt_is_prefilled(model: nn.Module) -> None:
    counting = Counting(model)
    batch = drafting(model, counting)
    batch._main._generator._generation_batch.draft_budget = PrefillBudget(16)  # type: ignore[attr-defined]
    asked = {1: wanted("greedy", max_tokens=150), 2: sequence(2, 240, max_tokens=60)}
    made: dict[int, list[Sampled]] = {1: [], 2: []}
    meanwhile, waiting = 0, [speculative(asked[2])]
    batch.add(speculative(asked[1]))
    while batch.is_busy:
        before = counting.tokens
        outputs = [output for output in batch.step() if isinstance(output, Sampled)]
        for output in outputs:
            made[output.id].append(output)
        if len(made[1]) > 20 and waiting:
            batch.add(waiting.pop())
        if made[2] and not drafted(made[2]):
            meanwhile += accepted([output for output in outputs if output.id == 1])
            assert counting.tokens - before <= 16 + 2 * (33 + 15)
    assert meanwhile > 20 and accepted(made[2]) > 20
    for number, one in asked.items():
        assert told(made[number]) == told(answers(plain_batch(model), one)[number])


def test_the_draft_model_prefills_beside_no_other_prompt(model: nn.Module) -> None:
    counting = Counting(model)
    batch = drafting(model, counting, prefill_step=16)
    batch.add(speculative(wanted("greedy", max_tokens=30)))
    while batch.is_busy and not counting.tokens:
        list(batch.step())
    batch.add(sequence(2, 300, start=9, max_tokens=1))
    batch.add(speculative(sequence(3, 40, start=3, max_tokens=40)))
    fed = [0]
    while batch.is_busy:
        before, outputs = counting.tokens, list(batch.step())
        is_prefilling = any(isinstance(one, Prefilled) for one in outputs)
        fed.append(0 if not is_prefilling else counting.tokens - before)
    assert max(fed) <= 3 * (33 + 15)


def test_a_removed_answer_leaves_nothing_in_the_draft_model(model: nn.Module) -> None:
    batch = drafting(model, model)
    batch.add(speculative(wanted("greedy")))
    for _ in range(4):
        list(batch.step())
    batch.remove(1)
    assert batch._main._speculation.draft_model.nbytes == 0  # type: ignore[attr-defined]
