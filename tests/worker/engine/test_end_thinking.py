"""The end of an answer's reasoning while it is computed: at once, in its row alone, in every lane."""

from collections.abc import Sequence as Tokens
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.sampling.thinking_budget import ThinkingBudget
from tests.worker.models import Poisoned, run, sequence, tiny, tokens

pytestmark = pytest.mark.mlx
OPEN, CLOSE, ANSWER, NEVER_DRAWN = 240, 241, 242, 10**6
NEVER_BY_ITSELF = tuple((token, -1000.0) for token in (OPEN, CLOSE, ANSWER))
LANES: dict[str, dict[str, Any]] = {
    "in a batch": {},
    "one by one": {"support": BatchSupport(can_batch=False)},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def decode(ids: Tokens[int]) -> str:
    return "".join({OPEN: "<think>", CLOSE: "</think>"}.get(one, "x") for one in ids)


def thinking(limit: int | None = None, *, inside: bool = True) -> ThinkingBudget:
    return ThinkingBudget(
        tokens=limit,
        opening="<think>",
        closing="</think>",
        opening_id=OPEN,
        forced=(CLOSE, ANSWER),
        starts_inside=inside,
        decode=decode,
    )


def thinker(number: int = 1, limit: int | None = None, *, inside: bool = True, **changes: Any) -> Sequence:
    own: dict[str, Any] = {
        "temperature": 1.0,
        "seed": number,
        "logit_bias": NEVER_BY_ITSELF,
        "request": number,
    } | changes
    return sequence(number, thinking=thinking(limit, inside=inside), **own)


def batch_of(model: nn.Module, **options: Any) -> Batch:
    return Batch(model, **({"max_batch": 16, "prefill_step": 64} | options))


def first(batch: Batch | ResilientBatch, count: int, number: int = 1) -> list[int]:
    """Step until this sequence has so many tokens."""
    generated: list[int] = []
    while len(generated) < count:
        generated += [one.token for one in batch.step() if isinstance(one, Sampled) and one.id == number]
    return generated


def alone(model: nn.Module, one: Sequence, lane: str) -> list[int]:
    batch = batch_of(model, **LANES[lane])
    batch.add(one)
    return tokens(run(batch)[one.id])


@pytest.mark.parametrize("lane", LANES)
def test_the_marker_comes_after_the_token_that_is_being_sampled(model: nn.Module, lane: str) -> None:
    free = alone(model, thinker(), lane)
    batch = batch_of(model, **LANES[lane])
    batch.add(thinker())
    generated = first(batch, 4)
    assert batch.end_thinking(1)
    generated += tokens(run(batch)[1])
    assert generated[:7] == [*free[:5], CLOSE, ANSWER]
    assert len(generated) == 12 and not {OPEN, CLOSE} & set(generated[7:])


@pytest.mark.parametrize("lane", LANES)
def test_the_others_go_on_as_if_nothing_had_happened(model: nn.Module, lane: str) -> None:
    batch = batch_of(model, **LANES[lane])
    for number in (1, 2, 3):
        batch.add(thinker(number))
    first(batch, 4, number=2)
    assert batch.end_thinking(2)
    ended = run(batch)
    assert CLOSE in tokens(ended[2])
    for number in (1, 3):
        rest = tokens(ended[number])
        assert alone(model, thinker(number), lane)[-len(rest) :] == rest


@pytest.mark.parametrize("lane", LANES)
def test_it_is_ended_once_however_often_it_is_asked(model: nn.Module, lane: str) -> None:
    batch = batch_of(model, **LANES[lane])
    batch.add(thinker())
    generated = first(batch, 2)
    assert batch.end_thinking(1) and batch.end_thinking(1)
    generated += first(batch, 1)
    assert batch.end_thinking(1)
    generated += tokens(run(batch)[1])
    assert generated.index(CLOSE) == 3 and generated.count(CLOSE) == 1


def test_a_limited_answer_is_ended_before_its_limit(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(thinker(limit=9))
    generated = first(batch, 2)
    assert batch.end_thinking(1)
    assert [*generated, *tokens(run(batch)[1])].index(CLOSE) == 3


def test_what_does_not_reason_is_left_as_it_is(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(thinker(1, inside=False))
    batch.add(sequence(2))
    generated = first(batch, 2)
    assert [batch.end_thinking(number) for number in (1, 2, 99)] == [False] * 3
    generated += tokens(run(batch)[1])
    assert generated == alone(model, thinker(1, inside=False), "in a batch")


def test_a_prompt_that_is_still_computed_has_no_reasoning(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(thinker(length=200))
    list(batch.step())
    assert not batch.end_thinking(1)
    assert CLOSE not in tokens(run(batch)[1])


def test_a_step_that_fails_afterwards_changes_nothing(tmp_path: Path) -> None:
    flaky = Flaky(tiny(tmp_path / "tiny"))
    batch = ResilientBatch(lambda: batch_of(flaky), lambda: None)
    batch.add(thinker())
    generated = first(batch, 3)
    assert batch.end_thinking(1)
    flaky.fails = 1
    generated += first(batch, 9)
    assert generated.index(CLOSE) == 4 and generated[5] == ANSWER and generated.count(CLOSE) == 1


def test_an_answer_that_waits_for_memory_is_ended_too(tmp_path: Path) -> None:
    few = Poisoned(tiny(tmp_path / "tiny"), poison=NEVER_DRAWN, most=1)
    batch = ResilientBatch(lambda: batch_of(few), lambda: None)
    generated: dict[int, list[int]] = {1: [], 2: []}
    for number in generated:
        batch.add(thinker(number, max_tokens=30))
    waits: list[int] = []
    while batch.is_busy:
        for one in batch.step():
            if isinstance(one, Sampled):
                generated[one.id].append(one.token)
        if not waits and batch._waiting and generated[2]:
            waits = [group[0].id for group in batch._waiting]
            assert batch.end_thinking(waits[0])
            place = len(generated[waits[0]])
    assert waits and generated[waits[0]][place : place + 2] == [CLOSE, ANSWER]
    (other,) = {1, 2} - {waits[0]}
    assert CLOSE not in generated[other]


class Flaky(nn.Module):  # type: ignore[misc]
    """The model, which fails the next `fails` times."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model
        self.fails = 0

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: Any, cache: Any = None) -> Any:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("no memory")
        return self.inner(inputs, cache=cache)
