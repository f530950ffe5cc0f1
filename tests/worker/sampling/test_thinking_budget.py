"""The end of reasoning at a number of tokens."""

from collections.abc import Sequence

import numpy as np
import pytest

from inference.worker.sampling.thinking_budget import ThinkingBudget, ThinkingMatcher

WORDS = ["<think>", "</think>", "a", "b", "<thi", "nk>", "</", "think>", "c"]
OPEN, CLOSE, A, B = 0, 1, 2, 3


def decode(tokens: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in tokens)


def budget(
    tokens: int | None,
    *,
    inside: bool = False,
    forced: tuple[int, ...] = (CLOSE,),
    ends_at: int | None = None,
) -> ThinkingBudget:
    return ThinkingBudget(
        tokens=tokens,
        opening="<think>",
        closing="</think>",
        opening_id=OPEN,
        forced=forced,
        starts_inside=inside,
        decode=decode,
        ends_at=ends_at,
    )


def matcher(tokens: int, *, inside: bool = False, forced: tuple[int, ...] = (CLOSE,)) -> ThinkingMatcher:
    return budget(tokens, inside=inside, forced=forced).start()


def allowed(one: ThinkingMatcher) -> list[int]:
    mask = one.allowed_tokens(len(WORDS))
    return list(range(len(WORDS))) if mask is None else np.flatnonzero(mask).tolist()


def consume(one: ThinkingMatcher, *tokens: int) -> None:
    for token in tokens:
        assert token in allowed(one)
        one.consume(token)


EVERY = list(range(len(WORDS)))
NOT_OPEN = EVERY[1:]


@pytest.mark.parametrize("tokens", [1, 2, 5])
@pytest.mark.parametrize("inside", [False, True])
def test_the_closing_marker_is_forced_after_exactly_so_many_tokens(tokens: int, inside: bool) -> None:
    one = matcher(tokens, inside=inside)
    consume(one, *([] if inside else [OPEN]), *[A] * (tokens - 1))
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
    two = budget(2)
    assert allowed(two.start([OPEN, A])) == EVERY
    assert allowed(two.start([OPEN, A, B])) == [CLOSE]
    assert allowed(two.start([OPEN, A, B, CLOSE])) == NOT_OPEN


INSIDE = {
    "opened by the prompt": (True, [A, B]),
    "opened by itself": (False, [OPEN, A, B]),
    "opened in two tokens": (False, [4, 5, A]),
    "opened again": (True, [A, CLOSE, B, OPEN, A]),
}
OUTSIDE = {
    "closed": (True, [A, CLOSE]),
    "closed in two tokens": (True, [A, 6, 7, B]),
    "never opened": (False, [A, B]),
    "opened and closed": (False, [OPEN, A, CLOSE, B]),
}


@pytest.mark.parametrize(("inside", "answered"), INSIDE.values(), ids=INSIDE)
def test_an_end_at_a_place_lets_one_more_token_come_and_forces_the_marker(
    inside: bool, answered: list[int]
) -> None:
    one = budget(None, inside=inside, ends_at=len(answered) + 1).start(answered)
    assert (one.is_inside, allowed(one)) == (True, EVERY)
    consume(one, B)
    assert (one.is_inside, allowed(one)) == (True, [CLOSE])
    consume(one, CLOSE)
    assert (one.is_inside, allowed(one)) == (False, NOT_OPEN)


@pytest.mark.parametrize(("inside", "answered"), OUTSIDE.values(), ids=OUTSIDE)
def test_an_answer_outside_its_reasoning_is_known_as_such(inside: bool, answered: list[int]) -> None:
    assert not budget(None, inside=inside, ends_at=len(answered) + 1).start(answered).is_inside


@pytest.mark.parametrize("last", [[CLOSE], [7]], ids=["one token", "the rest of the marker"])
def test_reasoning_that_ends_with_the_token_on_its_way_is_not_closed_twice(last: list[int]) -> None:
    answered = [A, 6] if last == [7] else [A, B]
    one = budget(None, inside=True, ends_at=len(answered) + 1).start(answered)
    consume(one, *last)
    assert not one.is_inside and allowed(one) == NOT_OPEN


def test_what_ended_at_a_place_is_there_again_when_it_is_computed_again() -> None:
    ended = budget(None, inside=True, ends_at=3)
    assert allowed(ended.start([A, B])) == EVERY
    assert allowed(ended.start([A, B, A])) == [CLOSE]
    assert allowed(ended.start([A, B, A, CLOSE, B])) == NOT_OPEN


def test_an_end_at_a_place_comes_before_the_budget_is_used_up() -> None:
    one = budget(9, inside=True).start([A, B])
    one.end_at(3)
    consume(one, A)
    assert allowed(one) == [CLOSE]
    assert allowed(budget(9, inside=True, ends_at=3).start([A, B, A])) == [CLOSE]


def test_without_a_limit_nothing_is_forced_and_reasoning_may_begin_again() -> None:
    assert not budget(None).is_limited and budget(None, ends_at=1).is_limited and budget(0).is_limited
    one = budget(None).start([OPEN, A, CLOSE])
    consume(one, A, OPEN, *[A] * 20, CLOSE)
    assert allowed(one) == EVERY


def test_it_reports_that_it_has_cut_the_reasoning() -> None:
    one = matcher(2, inside=True)
    consume(one, A, B)
    assert not one.has_cut
    consume(one, CLOSE, A)
    assert one.has_cut


@pytest.mark.parametrize("tokens", [(A, CLOSE), (A, CLOSE, 4, 5, CLOSE)])
def test_reasoning_that_ends_by_itself_is_not_cut(tokens: tuple[int, ...]) -> None:
    one = matcher(9, inside=True)
    consume(one, *tokens)
    assert not one.has_cut
