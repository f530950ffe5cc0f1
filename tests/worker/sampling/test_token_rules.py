"""A minimum length, allowed tokens, banned texts."""

import numpy as np

from inference.core.requests import TokenRules
from inference.worker.sampling.constraint import Matcher, combined, only, without
from inference.worker.sampling.token_rules import RuleConstraint

VOCABULARY = 10
STOP = frozenset({9})


def encode(text: str) -> list[int]:
    return {"ab": [1, 2], " ab": [3, 2], "c": [4], " c": [5]}.get(text, [])


def started(**rules: object) -> Matcher:
    constraint = RuleConstraint.of(TokenRules(**rules), STOP, encode)  # type: ignore[arg-type]
    assert constraint
    return constraint.start()


def allowed(one: Matcher) -> list[int]:
    mask = one.allowed_tokens(VOCABULARY)
    return list(range(VOCABULARY)) if mask is None else np.flatnonzero(mask).tolist()


def test_no_rules_are_no_constraint() -> None:
    assert RuleConstraint.of(TokenRules(stop_ids=(3,)), STOP, encode) is None


def test_no_end_comes_before_the_least_number_of_tokens() -> None:
    one = started(min_tokens=2)
    for _ in range(2):
        assert 9 not in allowed(one)
        one.consume(1)
    assert allowed(one) == list(range(VOCABULARY))


def test_allowed_tokens_are_the_only_ones_but_for_the_end() -> None:
    assert allowed(started(allowed_ids=(1, 2))) == [1, 2, 9]
    assert allowed(started(allowed_ids=(1, 99))) == [1, 9]


def test_a_banned_word_never_gets_its_last_token() -> None:
    one = started(bad_words=("ab", "c"))
    assert {4, 5}.isdisjoint(allowed(one)) and 2 in allowed(one)
    one.consume(1)
    assert 2 not in allowed(one)
    one.consume(7)
    assert 2 in allowed(one)
    one.consume(3)
    assert 2 not in allowed(one)


def test_an_answer_that_is_computed_again_keeps_its_count() -> None:
    constraint = RuleConstraint.of(TokenRules(min_tokens=2), STOP, encode)
    assert constraint and 9 in allowed(constraint.start([1, 1])) and 9 not in allowed(constraint.start([1]))


def test_masks_combine_and_the_later_one_counts_where_nothing_is_left() -> None:
    both = combined([without((1,), 4), None, without((2,), 4)])
    assert both is not None and np.flatnonzero(both).tolist() == [0, 3]
    alone = combined([only((1,), 4), only((2,), 4)])
    assert alone is not None and np.flatnonzero(alone).tolist() == [2]
    assert combined([None, None]) is None


def test_a_banned_token_never_comes_not_even_as_the_end() -> None:
    one = started(banned_ids=(3, 9))
    for _ in range(2):
        assert allowed(one) == [0, 1, 2, 4, 5, 6, 7, 8]
        one.consume(1)
