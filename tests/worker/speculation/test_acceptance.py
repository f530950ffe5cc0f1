"""How often drafted tokens are right."""

import pytest

from inference.worker.speculation.acceptance import Acceptance, expected_tokens
from tests.each import each


def test_long_matches_are_trusted_more_before_any_draft() -> None:
    rates = [Acceptance().rate(length) for length in (2, 4, 8, 16, 32)]
    assert rates == sorted(rates) and 0 < rates[0] < rates[-1] < 1


def test_rates_follow_the_drafts_of_their_length() -> None:
    acceptance = Acceptance()
    before = acceptance.rate(2)
    for _ in range(20):
        acceptance.record(2, 8, 0)
        acceptance.record(32, 8, 8)
    assert acceptance.rate(2) < before / 2 and acceptance.rate(32) > 0.98
    assert acceptance.rate(6) == Acceptance().rate(6)


def test_what_follows_a_wrong_token_was_not_tested() -> None:
    short, long = Acceptance(), Acceptance()
    short.record(2, 2, 1)
    long.record(2, 15, 1)
    assert short.rate(2) == long.rate(2)


def test_a_new_row_expects_what_the_other_rows_had() -> None:
    shared = Acceptance()
    for _ in range(30):
        Acceptance(shared).record(3, 5, 0)
    assert Acceptance(shared).rate(3) < 0.2


@each(("rate", "drafted", "tokens"), [(0, 5, 0), (1, 5, 5), (0.5, 2, 0.75), (0.9, 0, 0)])
def test_the_expected_tokens_are_a_geometric_sum(rate: float, drafted: int, tokens: float) -> None:
    assert expected_tokens(rate, drafted) == pytest.approx(tokens)
