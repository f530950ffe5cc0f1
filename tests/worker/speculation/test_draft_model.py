"""The draft model's rows: the same drafts as it makes alone, whatever the batch does."""

import random

import mlx.core as mx
import mlx.nn as nn
import pytest

from inference.worker.speculation.draft_model import DraftModel
from tests.nightly import nightly, of_each_kind
from tests.worker.models import Counting, tiny

pytestmark = pytest.mark.mlx
LENGTHS = [(2,), (20, 3, 9), (300, 2, 40), (600, 700)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def prompt(length: int, start: int = 0) -> list[int]:
    return [(start + place * 7) % 250 for place in range(length)]


def alone(model: nn.Module, tokens: list[int], count: int) -> list[int]:
    """What the model says next, computed without any cache."""
    drafted: list[int] = []
    for _ in range(count):
        logits = model(mx.array([[*tokens, *drafted]]))[0, -1]
        drafted.append(int(mx.argmax(logits).item()))  # type: ignore[arg-type]
    return drafted


def prepared(draft_model: DraftModel, rows: dict[int, list[int]], most: int = 256) -> None:
    while draft_model.prepare({uid: tokens[:-1] for uid, tokens in rows.items()}, most):
        pass


@pytest.mark.parametrize("lengths", of_each_kind(LENGTHS, LENGTHS[:3]))
def test_each_row_is_drafted_for_as_if_it_were_alone(model: nn.Module, lengths: tuple[int, ...]) -> None:
    draft_model = DraftModel(model, 264)
    rows = {uid: prompt(length, uid) for uid, length in enumerate(lengths)}
    prepared(draft_model, rows)
    for count in (1, 4, 15):
        made = draft_model.draft(rows, count)
        assert made == {uid: alone(model, tokens, count) for uid, tokens in rows.items()}


@nightly
def test_rows_grow_join_and_leave(model: nn.Module) -> None:
    draft_model, draw = DraftModel(model, 264), random.Random(4)  # noqa: S311 - the same rows in every run
    rows = {0: prompt(30)}
    for step in range(1, 25):
        if step % 3 == 1:
            rows[step] = prompt(draw.randint(2, 60), step)
        if len(rows) > 4:
            del rows[draw.choice(list(rows))]
        for tokens in rows.values():
            tokens += [draw.randrange(250) for _ in range(draw.randint(1, 9))]
        prepared(draft_model, rows)
        count = draw.randint(1, 9)
        assert draft_model.draft(rows, count) == {uid: alone(model, rows[uid], count) for uid in rows}


def test_a_long_prompt_is_fed_in_chunks(model: nn.Module) -> None:
    counting = Counting(model)
    draft_model = DraftModel(counting, 264)
    seen: list[int] = []
    while fed := draft_model.prepare({1: prompt(900)}, 200):
        seen.append(counting.tokens - sum(seen))
        assert fed == seen[-1]
    assert seen == [200, 200, 200, 200, 100]


def test_a_row_that_was_left_behind_catches_up_in_chunks_and_keeps_nobody_waiting(model: nn.Module) -> None:
    counting = Counting(model)
    draft_model = DraftModel(counting, 264)
    rows = {1: prompt(10), 2: prompt(20, 2)}
    prepared(draft_model, rows)
    rows[1] += prompt(300, 5)
    fed = 0
    while draft_model.ready({uid: tokens[:-1] for uid, tokens in rows.items()}) == {2}:
        rows[2] += [len(rows[2])]
        assert draft_model.draft(rows, 3) == {2: alone(model, rows[2], 3)}
        before = counting.tokens
        fed += draft_model.prepare({uid: tokens[:-1] for uid, tokens in rows.items()}, 100)
        assert counting.tokens - before <= 100
    assert draft_model.draft(rows, 3) == {uid: alone(model, tokens, 3) for uid, tokens in rows.items()}
    assert fed >= 2 * (300 - 32)


def test_no_token_beyond_the_vocabulary_is_drafted(model: nn.Module) -> None:
    draft_model, rows = DraftModel(model, 40), {1: prompt(30)}
    prepared(draft_model, rows)
    assert max(draft_model.draft(rows, 15)[1]) < 40


def test_rows_that_ended_take_no_memory(model: nn.Module) -> None:
    draft_model = DraftModel(model, 264)
    rows = {1: prompt(300), 2: prompt(300, 2)}
    prepared(draft_model, rows)
    both = draft_model.nbytes
    draft_model.forget(1)
    assert 0 < draft_model.nbytes < both
    draft_model.prepare({3: prompt(900)}, 256)  # the other one is not in the batch any more
    draft_model.forget(3)
    assert draft_model.nbytes == 0
