"""How long the answers of a request may become, and what happens at the end of a grant."""

from typing import Any

import mlx.nn as nn
import pytest

from inference.core.protocol import Grant, GrowthWanted
from inference.core.requests import Sampling
from inference.worker.engine.batch import Batch
from inference.worker.engine.commands import Limit
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.engine.token_grants import SLICE, TokenGrants
from tests.worker.engine.lookup import accepted, eager_batch, plain_batch, predicted
from tests.worker.models import run, sequence, tiny, tokens

pytestmark = pytest.mark.mlx


class Played:
    """Grants, what was wanted, and sequences whose tokens the test makes."""

    def __init__(self) -> None:
        self.wishes: list[GrowthWanted] = []
        self.grants = TokenGrants(self.wishes.append)

    def open(self, granted: int, *most: int, kv_tokens: int = 10**6, prompt: int = 10) -> list[Sequence]:
        """One request with answers of at most so many tokens each."""
        made = [
            Sequence(
                id=number,
                prompt=(1,) * prompt,
                max_tokens=one,
                sampling=Sampling(),
                stop_ids=frozenset(),
            )
            for number, one in enumerate(most, 1)
        ]
        self.grants.open(Limit(7, granted, kv_tokens, tuple(made)))
        return made

    def make(self, count: int, *ids: int, ends: bool = False) -> list[int]:
        """So many tokens of each of these answers; the requests that have used up what was granted."""
        used_up: list[int] = []
        for place in range(count):
            is_last = ends and place == count - 1
            used_up = self.grants.count([Sampled(one, 0, "stop" if is_last else None) for one in ids or (1,)])
        return used_up


def test_more_is_asked_for_once_and_before_it_is_used_up() -> None:
    played = Played()
    played.open(512, 32_000)
    assert (played.make(383), played.wishes) == ([], [])
    assert played.make(1) == []
    assert played.wishes == [
        GrowthWanted(id=7, wish=1, tokens=512 + SLICE, made=384, answers=1, prompt_tokens=10)
    ]
    assert played.make(127) == [] and len(played.wishes) == 1
    assert played.make(1) == [7]


def test_a_small_grant_is_half_used_when_more_is_asked_for() -> None:
    played = Played()
    played.open(64, 32_000)
    played.make(31)
    assert not played.wishes
    played.make(1)
    assert played.wishes[0].tokens == 64 + SLICE


def test_a_grant_in_time_changes_nothing_else() -> None:
    played = Played()
    played.open(64, 1000)
    played.make(40)
    assert played.grants.grant(Grant(id=7, wish=1, tokens=320)) == []
    assert played.make(150) == [] and len(played.wishes) == 1
    played.make(2)
    assert [one.tokens for one in played.wishes] == [320, 576]


def test_one_that_is_paused_while_its_prompt_is_prepared_begins_paused() -> None:
    played = Played()
    played.grants.pause(7, [])
    sequences = played.open(64, 1000, 1000)
    assert played.grants.hold_back(sequences)
    assert played.wishes == [
        GrowthWanted(id=7, wish=1, tokens=64, made=0, answers=2, prompt_tokens=20, is_paused=True)
    ]
    assert played.grants.grant(Grant(id=7, wish=1, tokens=64)) == [tuple(sequences)]
    assert played.make(63, 1, 2) == []


@pytest.mark.parametrize("most", [64, 50, 1])
def test_an_answer_whose_limit_is_granted_asks_for_nothing(most: int) -> None:
    played = Played()
    played.open(64, most)
    assert (played.make(most), played.wishes) == ([], [])


def test_nobody_asks_for_more_than_the_answer_may_have() -> None:
    played = Played()
    played.open(64, 100)
    played.make(32)
    assert played.wishes[0].tokens == 100
    assert played.grants.grant(Grant(id=7, wish=1, tokens=100)) == []
    assert (played.make(68, ends=True), len(played.wishes)) == ([], 1)


def test_the_longest_answer_asks_for_all_that_have_not_ended() -> None:
    played = Played()
    played.open(64, 1000, 1000, 1000)
    played.make(5, 3, ends=True)
    played.make(32, 2)
    wish = played.wishes[0]
    assert (wish.answers, wish.prompt_tokens, wish.made, wish.kv_tokens(wish.tokens)) == (2, 20, 32, 660)


def test_what_is_reserved_for_less_than_its_prompts_begins_paused() -> None:
    played = Played()
    made = played.open(64, 1000, 30, kv_tokens=10 + 10 + 1)
    assert played.grants.hold_back(made)
    assert [(one.is_paused, one.tokens, one.made) for one in played.wishes] == [(True, 64, 0)]
    assert played.grants.grant(Grant(id=7, wish=1, tokens=64)) == [tuple(made)]


def test_a_prompt_that_was_estimated_too_short_leaves_fewer_tokens_at_first() -> None:
    whole, short = Played(), Played()
    assert not whole.grants.hold_back(whole.open(64, 1000, 30, kv_tokens=10 + 64 + 10 + 30))
    assert not short.grants.hold_back(short.open(64, 1000, 30, kv_tokens=10 + 10 + 2 * 40 + 1))
    assert [(one.is_paused, one.tokens) for one in short.wishes] == [(False, 40 + SLICE)]
    assert (whole.wishes, short.make(39), short.make(1)) == ([], [], [7])


def test_a_paused_request_goes_on_with_the_grant_that_answers_its_pause_alone() -> None:
    played = Played()
    made = played.open(64, 1000)
    assert played.make(64) == [7]
    played.grants.pause(7, made)
    assert [(one.wish, one.is_paused, one.made) for one in played.wishes] == [(1, False, 32), (2, True, 64)]
    assert played.grants.grant(Grant(id=7, wish=1, tokens=320)) == []
    assert played.grants.grant(Grant(id=7, wish=2, tokens=320)) == [tuple(made)]
    assert played.make(60) == []


def test_one_that_the_pool_pauses_wants_what_is_left_of_its_grant() -> None:
    played = Played()
    made = played.open(64, 1000)
    played.make(10)
    assert played.grants.sequences_of(7) == [1]
    played.grants.pause(7, made)
    assert (played.wishes[-1].tokens, played.wishes[-1].is_paused) == (64, True)
    assert played.grants.sequences_of(7) == []
    played.grants.pause(7, [])
    assert len(played.wishes) == 1


def test_a_grant_that_is_used_up_already_brings_the_next_wish() -> None:
    played = Played()
    made = played.open(64, 1000)
    played.make(64)
    played.grants.pause(7, made)
    assert played.grants.grant(Grant(id=7, wish=2, tokens=64)) == []
    assert (played.wishes[-1].wish, played.wishes[-1].is_paused) == (3, True)


def test_an_answer_that_is_cancelled_while_it_waits_does_not_go_on() -> None:
    played = Played()
    made = played.open(64, 1000, 1000)
    played.make(64, 1, 2)
    played.grants.pause(7, made)
    played.grants.remove(1)
    assert played.grants.grant(Grant(id=7, wish=2, tokens=320)) == [(made[1],)]
    played.grants.remove(2)
    assert played.grants.grant(Grant(id=7, wish=2, tokens=999)) == []


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


OPTIONS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "sampled": {"temperature": 1.0, "seed": 5},
    "penalised": {"temperature": 0.7, "seed": 5, "repetition_penalty": 1.5, "frequency_penalty": 0.5},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_suspended_sequence_goes_on_to_the_same_tokens(model: nn.Module, options: str, after: int) -> None:
    def batch() -> ResilientBatch:
        return ResilientBatch(lambda: Batch(model, max_batch=8, prefill_step=64), lambda: None)

    both = [sequence(number, length=40, **OPTIONS[options]) for number in (1, 2)]
    whole = batch()
    whole.add(both[0])
    whole.add(both[1])
    expected = finish(whole)
    cut = batch()
    for one in both:
        cut.add(one)
    made: dict[int, list[int]] = {1: [], 2: []}
    while len(made[2]) < after:
        for output in cut.step():
            if isinstance(output, Sampled):
                made[output.id].append(output.token)
    suspended = cut.suspend(2)
    assert suspended and suspended.answered == tuple(made[2]) and cut.ids == [1]
    assert cut.suspend(99) is None
    for number, rest in finish(cut).items():
        made[number] += rest
    cut.add(suspended)
    made[2] += finish(cut)[2]
    assert made == expected


def finish(batch: ResilientBatch) -> dict[int, list[int]]:
    """Step the batch until it is empty; returns the tokens of every sequence."""
    made: dict[int, list[int]] = {}
    while batch.is_busy:
        for output in batch.step():
            if isinstance(output, Sampled):
                made.setdefault(output.id, []).append(output.token)
    return made


@pytest.mark.parametrize("slice_tokens", [1, 3, 8])
def test_a_step_that_verifies_drafts_brings_no_more_than_was_granted(
    model: nn.Module, slice_tokens: int
) -> None:
    granted = slice_tokens
    one = predicted(model, sequence(max_tokens=60))
    played = Played()
    played.grants.open(Limit(7, granted, 10**6, (one,)))
    batch = eager_batch(model)
    batch.add(*played.grants.limited((one,)))
    made: list[Sampled] = []
    while batch.is_busy:
        outputs = list(batch.step())
        made += [output for output in outputs if isinstance(output, Sampled)]
        assert len(made) <= granted
        if played.grants.count(outputs):
            granted += slice_tokens
            played.grants.grant(Grant(id=7, wish=0, tokens=granted))
    alone = plain_batch(model)
    alone.add(one)
    assert tokens(made) == tokens(run(alone)[one.id])
    assert bool(accepted(made)) == (slice_tokens > 1)
