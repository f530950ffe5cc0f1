"""The end of reasoning at a number of tokens."""

from collections.abc import Sequence

import numpy as np
import pytest

from inference.worker.sampling.thinking_budget import ThinkingBudget, ThinkingMatcher

WORDS = ["<think>", "</think>", "a", "b", "<thi", "nk>", "</", "think>", "c"]
OPEN, CLOSE, A, B = 0, 1, 2, 3


def decode(tokens: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in tokens)


def matcher(tokens: int, *, inside: bool = False, forced: tuple[int, ...] = (CLOSE,)) -> ThinkingMatcher:
    return ThinkingBudget(
        tokens=tokens,
        opening="<think>",
        closing="</think>",
        opening_id=OPEN,
        forced=forced,
        starts_inside=inside,
        decode=decode,
    ).start()


def allowed(one: ThinkingMatcher) -> list[int]:
    mask = one.allowed_tokens(len(WORDS))
    return list(range(len(WORDS))) if mask is None else np.flatnonzero(mask).tolist()


def consume(one: ThinkingMatcher, *tokens: int) -> None:
    for token in tokens:
        assert token in allowed(one)
        one.consume(token)


EVERY = list(range(len(WORDS)))
NOT_OPEN = EVERY[1:]


@pytest.mark.parametrize("budget", [1, 2, 5])
@pytest.mark.parametrize("inside", [False, True])
def test_the_closing_marker_is_forced_after_exactly_so_many_tokens(budget: int, inside: bool) -> None:
    one = matcher(budget, inside=inside)
    consume(one, *([] if inside else [OPEN]), *[A] * (budget - 1))
    assert allowed(one) == EVERY
    consume(one, B)
    assert allowed(one) == [CLOSE]
    consume(one, CLOSE)
    assert allowed(one) == NOT_OPEN


def test_every_forced_token_follows_the_one_before() -> None:
    one = matcher(0, inside=True, forced=(6, 7, A))
    consume(one, 6, 7)
    assert allowed(one) == [A]
    consume(one, A)
    assert allowed(one) == NOT_OPEN


def test_a_budget_of_nothing_never_lets_reasoning_begin() -> None:
    assert allowed(matcher(0)) == NOT_OPEN
    assert allowed(matcher(0, inside=True)) == [CLOSE]


def test_reasoning_that_ends_by_itself_does_not_begin_again() -> None:
    one = matcher(5)
    consume(one, OPEN, A, CLOSE)
    assert allowed(one) == NOT_OPEN
    consume(one, *[A] * 9)
    assert allowed(one) == NOT_OPEN


def test_a_marker_of_several_tokens_counts_too() -> None:
    one = matcher(1)
    consume(one, 4, 5, A)
    assert allowed(one) == [CLOSE]
    consume(one, CLOSE, A, 4, 5)  # it begins again, and is closed at once
    assert allowed(one) == [CLOSE]
    other = matcher(9, inside=True)
    consume(other, A, 6, 7)
    assert allowed(other) == NOT_OPEN


def test_an_answer_that_is_computed_again_is_where_it_was() -> None:
    budget = matcher(2)._budget
    assert allowed(budget.start([OPEN, A])) == EVERY
    assert allowed(budget.start([OPEN, A, B])) == [CLOSE]
    assert allowed(budget.start([OPEN, A, B, CLOSE])) == NOT_OPEN
