"""Speculation on a real tiny model: the same tokens as without it, in fewer steps."""

from dataclasses import replace
from typing import Any

import mlx.nn as nn
import pytest

from inference.core.requests import AnswerGrammar
from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.sampling.token_rules import RuleConstraint
from tests.adapters.family_models import ADD, NOW, make
from tests.nightly import of_each_kind
from tests.tiny import CHATML
from tests.worker.engine.lookup import accepted, drafted, eager_batch, plain_batch, predicted
from tests.worker.models import Counting, Windowed, recurrent, run, sequence, tiny, tokens
from tests.worker.sampling.test_grammar import around, asking, grammar_of

pytestmark = pytest.mark.mlx

KINDS: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "seeded": {"temperature": 1.0, "seed": 5},
    "seeded nucleus": {"temperature": 1.3, "top_p": 0.9, "seed": 5},
    "seeded top-k and min-p": {"temperature": 1.5, "top_k": 20, "min_p": 0.02, "seed": 6},
    "penalised": {"temperature": 1.0, "seed": 7, "presence_penalty": 0.7, "frequency_penalty": 0.5},
    "repetition": {"temperature": 0.0, "repetition_penalty": 1.3},
    "repetition in a window": {"temperature": 0.0, "repetition_penalty": 1.3, "repetition_window": 16},
    "DRY": {"temperature": 0.0, "dry_multiplier": 0.8, "dry_allowed_length": 2},
    "XTC": {"temperature": 1.0, "seed": 10, "xtc_probability": 0.5, "xtc_threshold": 0.01},
    "biased": {"temperature": 1.0, "seed": 8, "logit_bias": ((65, 4.0), (66, -100.0))},
    "logprobs": {"temperature": 1.0, "seed": 9, "logprobs": 3},
    "rules": {
        "temperature": 1.0,
        "seed": 11,
        "rules": RuleConstraint(8, frozenset({3}), frozenset(), ((7, 9), (12,))),
    },
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def wanted(kind: str, number: int = 1, **changes: Any) -> Sequence:
    return sequence(number, 20 + number, **({"start": number, "max_tokens": 40} | KINDS[kind] | changes))


def answers(batch: Batch, *sequences: Sequence) -> dict[int, list[Sampled]]:
    for one in sequences:
        batch.add(one)
    return run(batch)


def told(generated: list[Sampled]) -> list[tuple[int, str | None]]:
    return [(sampled.token, sampled.finish) for sampled in generated]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_the_same_with_speculation(model: nn.Module, kind: str) -> None:
    one = wanted(kind)
    plain = answers(plain_batch(model), one)[1]
    fast = answers(eager_batch(model), predicted(model, one, generated=plain))[1]
    assert told(fast) == told(plain)
    assert 0 < accepted(fast) < drafted(fast)
    assert [s.logprob and s.logprob.top and [t for t, _ in s.logprob.top] for s in fast] == [
        s.logprob and s.logprob.top and [t for t, _ in s.logprob.top] for s in plain
    ]
    for left, right in zip(fast, plain, strict=True):
        assert (left.logprob is None) == (right.logprob is None)
        if left.logprob and right.logprob:
            assert left.logprob.value == pytest.approx(right.logprob.value, abs=1e-4)


CITY = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "people": {"type": "integer"}},
    "required": ["name", "people"],
    "additionalProperties": False,
}
FORMS: dict[str, dict[str, Any]] = {
    "a schema": {"schema": CITY},
    "a list": {"schema": {"type": "array", "items": CITY, "minItems": 2, "maxItems": 3}},
    "a required call": {"tools": (NOW, ADD), "must_call": ("add",)},
    "a regular expression": {"grammar": AnswerGrammar(kind="regex", text="[a-c]{3}(-[0-9]{2}){4,}")},
}


@pytest.mark.parametrize("temperature", of_each_kind([0.0, 1.0], [1.0]))
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_follows_its_form_with_speculation(model: nn.Module, form: str, temperature: float) -> None:
    loaded, _ = around(*make(CHATML))
    grammar = grammar_of(loaded, asking(**FORMS[form]))
    one = sequence(temperature=temperature, seed=4, max_tokens=120, stop_ids=loaded.stop_ids)
    one = replace(one, grammar=grammar, decode=loaded.tokenizer.decode)
    plain = answers(plain_batch(model), one)[1]
    fast = answers(eager_batch(model), predicted(model, one, generated=plain))[1]
    assert told(fast) == told(plain)
    assert 0 < accepted(fast) < drafted(fast)


def test_reasoning_ends_at_its_limit_with_speculation(model: nn.Module) -> None:
    limited = ThinkingBudget(
        tokens=9,
        opening="<think>",
        closing="</think>",
        opening_id=None,
        forced=tuple(b"</think>"),
        starts_inside=True,
        decode=lambda tokens: bytes(token % 256 for token in tokens).decode("latin-1"),
    )
    one = sequence(max_tokens=40, temperature=1.0, seed=2, thinking=limited)
    plain = answers(plain_batch(model), one)[1]
    fast = answers(eager_batch(model), predicted(model, one, generated=plain))[1]
    assert told(fast) == told(plain) and accepted(fast)
    assert bytes(token % 256 for token in tokens(fast)).find(b"</think>") == 9


@pytest.mark.parametrize("steps", [2, 4])
def test_reasoning_can_be_ended_between_verified_steps(model: nn.Module, steps: int) -> None:
    open_ended = ThinkingBudget(
        tokens=None,
        opening="<think>",
        closing="</think>",
        opening_id=None,
        forced=tuple(b"</think>"),
        starts_inside=True,
        decode=lambda tokens: bytes(token % 256 for token in tokens).decode("latin-1"),
    )
    one = predicted(model, sequence(max_tokens=60, temperature=1.0, seed=2, thinking=open_ended))
    batch = eager_batch(model)
    batch.add(one)
    begun = [o.token for _ in range(steps) for o in batch.step() if isinstance(o, Sampled)]
    assert batch.end_thinking(1)
    whole = bytes(token % 256 for token in [*begun, *tokens(run(batch)[1])])
    assert whole.find(b"</think>") == len(begun) + 1


@pytest.mark.parametrize("rows", of_each_kind([4, 8, 12], [12]))
def test_rows_of_all_kinds_join_and_leave(model: nn.Module, rows: int) -> None:
    everyone = [wanted(kind, number) for number, kind in enumerate(KINDS, start=1)][:rows]
    everyone = [replace(one, max_tokens=15 + 7 * (one.id % 4)) for one in everyone]
    alone = {one.id: answers(plain_batch(model), one)[one.id] for one in everyone}
    waiting = [predicted(model, one, wrong_every=3 + one.id) if one.id % 3 else one for one in everyone]
    batch, made = eager_batch(model), {one.id: list[Sampled]() for one in everyone}
    while waiting or batch.is_busy:
        if waiting:
            batch.add(waiting.pop())
        for output in [*batch.step(), *batch.step()]:
            if isinstance(output, Sampled):
                made[output.id].append(output)
    assert {number: told(one) for number, one in made.items()} == {n: told(one) for n, one in alone.items()}
    assert accepted([sampled for one in made.values() for sampled in one]) > rows


def test_a_right_prediction_takes_few_steps(model: nn.Module) -> None:
    one = wanted("greedy")
    batch = eager_batch(model)
    batch.add(predicted(model, one, wrong_every=99))
    steps = 0
    while batch.is_busy:
        list(batch.step())
        steps += 1
    assert steps < 10


def test_a_text_that_repeats_is_drafted_from_its_own_answer(model: nn.Module) -> None:
    forced = wanted("greedy", prompt=(5, 6, 7), logit_bias=((65, 1000.0),))
    generated = answers(eager_batch(model), replace(forced, speculates=True))[1]
    assert tokens(generated) == [65] * 40 and accepted(generated) > 20


@pytest.mark.parametrize("place", of_each_kind([0, 3, 5, 11], [0, 5]))
def test_a_stop_token_within_a_draft_ends_the_answer_there(model: nn.Module, place: int) -> None:
    one = wanted("greedy")
    answer = tokens(answers(plain_batch(model), one)[1])
    one = replace(predicted(model, one, wrong_every=99), stop_ids=frozenset({answer[place]}))
    assert told(answers(eager_batch(model), one)[1]) == told(answers(plain_batch(model), one)[1])


@pytest.mark.parametrize("limit", of_each_kind([1, 2, 7, 16, 17], [1, 7]))
def test_an_answer_ends_at_its_limit_within_a_draft(model: nn.Module, limit: int) -> None:
    one = replace(predicted(model, wanted("seeded"), wrong_every=99), max_tokens=limit)
    generated = answers(eager_batch(model), one)[1]
    assert told(generated) == told(answers(plain_batch(model), one)[1])
    assert len(generated) == limit and generated[-1].finish == "length"


def test_the_prefix_cache_gets_the_accepted_tokens_only(model: nn.Module) -> None:
    cache = PrefixCache(1 << 30)
    one = wanted("greedy")
    answer = tokens(answers(eager_batch(model, prefix_cache=cache), predicted(model, one))[1])
    again = sequence(2, prompt=(*one.prompt, *answer, 1, 2, 3), max_tokens=20)
    counting = Counting(model)
    found = answers(eager_batch(counting, prefix_cache=cache), again)[2]
    assert counting.tokens < 30 and told(found) == told(answers(plain_batch(model), again)[2])


@pytest.mark.parametrize("steps", of_each_kind([2, 3, 5, 8], [3]))
def test_a_removed_answer_goes_on_elsewhere(model: nn.Module, steps: int) -> None:
    one, other = predicted(model, wanted("penalised")), predicted(model, wanted("seeded", 2))
    cache = PrefixCache(1 << 30)
    batch = eager_batch(model, prefix_cache=cache)
    batch.add(one)
    batch.add(other)
    begun = [o for _ in range(steps) for o in batch.step() if isinstance(o, Sampled)]
    rest = {unfinished.id: unfinished for unfinished in batch.unfinished}
    batch.remove(1)
    ended = list(run(batch).get(2, []))
    continued = answers(eager_batch(model, prefix_cache=cache), rest[1])[1]
    plain = answers(plain_batch(model), one, other)
    assert told([o for o in begun if o.id == 1] + continued) == told(plain[1])
    assert told([o for o in begun if o.id == 2] + ended) == told(plain[2])


def test_caches_that_cannot_be_rolled_back_decode_plainly(model: nn.Module) -> None:
    for other in (Windowed(model), recurrent()):
        one = predicted(other, wanted("greedy"))
        generated = answers(eager_batch(other), one)[1]
        assert told(generated) == told(answers(plain_batch(other), one)[1]) and not drafted(generated)


def test_exact_seeds_never_speculate(model: nn.Module) -> None:
    one = predicted(model, wanted("seeded"))
    assert not drafted(answers(eager_batch(model, has_exact_seeds=True), one)[1])


def test_an_answer_that_opted_out_has_no_drafts(model: nn.Module) -> None:
    one = replace(predicted(model, wanted("greedy")), speculates=False)
    assert not drafted(answers(eager_batch(model), one)[1])
