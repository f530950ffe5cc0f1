"""Places of a draft are sampled as the plain step samples them."""

from typing import Any

import mlx.core as mx
import pytest

from inference.core.requests import Sampling
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.sampling.token_sampler import TokenSampler, sample_rows
from inference.worker.speculation.verification import accepted_count, places_of, sample_places

pytestmark = pytest.mark.mlx
VOCABULARY = 32
LATEST, DRAFT = 3, (5, 5, 9)
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"temperature": 1.0, "seed": 3},
    "penalties": {"temperature": 1.0, "seed": 3, "frequency_penalty": 2.0, "repetition_penalty": 1.5},
    "XTC": {"temperature": 1.0, "seed": 4, "xtc_probability": 0.5, "xtc_threshold": 0.01},
    "DRY": {"temperature": 1.0, "seed": 5, "dry_multiplier": 5.0, "dry_allowed_length": 1},
}


def sampler(rules: RuleConstraint | None = None, **fields: Any) -> TokenSampler:
    return TokenSampler(Sampling(**fields), prompt=(1, 5, 2, LATEST), rules=rules)


def logits() -> mx.array:
    return mx.random.normal((1 + len(DRAFT), VOCABULARY), key=mx.random.key(7))


def step(one: TokenSampler, token: int, row: mx.array) -> int:
    """One plain step of a row."""
    one.observe(token)
    processed = one.process(mx.array([token]), row[None]) if one.changes_logits else row[None]
    sampled: list[int] = sample_rows([one], processed).tolist()  # type: ignore[assignment]
    return sampled[0]


@pytest.mark.parametrize("kind", KINDS)
def test_each_place_is_what_plain_steps_would_sample(kind: str) -> None:
    plain, fast = sampler(**KINDS[kind]), sampler(**KINDS[kind])
    expected = [step(plain, token, row) for token, row in zip((LATEST, *DRAFT), logits(), strict=True)]
    places = places_of(fast, (LATEST, *DRAFT), logits())
    assert sample_places([places]) == [expected]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("accepted", range(4))
def test_a_row_goes_on_after_what_was_accepted(kind: str, accepted: int) -> None:
    plain, fast = sampler(**KINDS[kind]), sampler(**KINDS[kind])
    for token, row in zip((LATEST, *DRAFT[:accepted]), logits(), strict=False):
        step(plain, token, row)
    places_of(fast, (LATEST, *DRAFT), logits()).accept(accepted)
    following = mx.random.normal((4, VOCABULARY), key=mx.random.key(8))
    assert [step(fast, 6, row) for row in following] == [step(plain, 6, row) for row in following]


def test_places_end_before_a_token_that_is_not_allowed() -> None:
    rules = RuleConstraint(0, frozenset(), frozenset(), ((9,),))
    places = places_of(sampler(rules, temperature=0.0), (LATEST, *DRAFT), logits())
    assert len(places.draws) == 3


def test_rows_of_different_numbers_of_places_are_sampled_together() -> None:
    rows = [places_of(sampler(**KINDS["plain"]), (LATEST, *DRAFT)[:count], logits()) for count in (1, 4, 2)]
    sampled = sample_places(rows)
    assert [len(tokens) for tokens in sampled] == [1, 4, 2]
    assert sampled[0] == sampled[1][:1] and sampled[2] == sampled[1][:2]


@pytest.mark.parametrize(
    ("drafted", "sampled", "count"),
    [
        ((), (4,), 0),
        ((4, 5), (4, 5, 6), 2),
        ((4, 5), (4, 7, 6), 1),
        ((4, 5), (3, 5, 6), 0),
        ((4, 5), (4, 5), 1),
    ],
)
def test_a_draft_is_accepted_up_to_its_first_wrong_token(
    drafted: tuple[int, ...], sampled: tuple[int, ...], count: int
) -> None:
    assert accepted_count(drafted, sampled) == count


def test_log_probabilities_are_those_of_their_place() -> None:
    one = TokenSampler(Sampling(temperature=0.0), prompt=(LATEST,), logprobs=1)
    rows = logits()
    places = places_of(one, (LATEST, *DRAFT), rows)
    for place, (token,) in enumerate(zip(*sample_places([places]), strict=True)):
        logprob = places.logprob_of(place, token)
        assert logprob
        ((best, value),) = logprob.read().top
        assert best == token and value == pytest.approx(logprob.read().value)
