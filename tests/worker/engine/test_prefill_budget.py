"""Chunks of prefill: large while nothing decodes, else short."""

import pytest

from inference.worker.engine.prefill_budget import PrefillBudget
from tests.each import each


def test_alone_a_prompt_takes_the_whole_chunk() -> None:
    assert PrefillBudget(512).allot([2000], is_decoding=False) == (512, 1)


def test_short_prompts_share_a_chunk_in_the_order_they_came() -> None:
    assert PrefillBudget(512).allot([100, 200, 150, 300, 10], is_decoding=False) == (170, 3)


def test_a_long_prompt_is_not_joined_by_others() -> None:
    assert PrefillBudget(512).allot([600, 10], is_decoding=False) == (512, 1)


def test_beside_decoding_a_chunk_takes_about_a_quarter_of_a_second() -> None:
    pace = PrefillBudget(512)
    pace.record(400, seconds=1.0)
    assert pace.allot([2000], is_decoding=True) == (100, 1)


@pytest.mark.parametrize(("rate", "chunk"), [(1, 32), (100_000, 512)])
def test_a_chunk_is_neither_tiny_nor_beyond_the_setting(rate: int, chunk: int) -> None:
    pace = PrefillBudget(512)
    pace.record(rate * 100, seconds=100.0)
    assert pace.allot([2000], is_decoding=True) == (chunk, 1)


def test_a_small_setting_is_kept_to() -> None:
    assert PrefillBudget(16).allot([2000], is_decoding=True) == (16, 1)


def test_steps_with_hardly_any_prefill_teach_nothing() -> None:
    pace = PrefillBudget(512)
    before = pace.allot([2000], is_decoding=True)
    pace.record(1, seconds=10.0)
    assert pace.allot([2000], is_decoding=True) == before


def test_nothing_to_prefill_is_fine() -> None:
    assert PrefillBudget(512).allot([], is_decoding=True)[1] == 1


def test_a_prompt_whose_last_token_is_left_takes_nothing_of_the_chunk() -> None:
    # Of two prompts that have come late, one is done: the other one does not need another step for it.
    pace = PrefillBudget(512)
    pace.record(64, seconds=10.0)
    assert pace.allot([1, 31], is_decoding=True) == (30, 2)
    assert pace.allot([1, 1, 1], is_decoding=False)[1] == 3


@each(
    ("remaining", "allotted"),
    [
        ([300, *[20] * 9], (19, 10)),
        ([31, 32, 32, 30], (31, 4)),
        ([200, 200, 100], (170, 3)),
        ([120, 20], (19, 2)),
    ],
)
def test_prompts_of_unlike_lengths_share_a_chunk_of_which_little_is_padding(
    remaining: list[int], allotted: tuple[int, int]
) -> None:
    assert PrefillBudget(512).allot(remaining, is_decoding=False) == allotted


def test_beside_answers_that_have_just_begun_a_chunk_takes_up_to_a_second() -> None:
    pace = PrefillBudget(512)
    pace.record(400, seconds=1.0)
    late = [31, 32, 32, 30, 31, 30, 32]
    assert pace.allot(late, is_decoding=True, has_just_begun=True) == (31, 7)
    assert pace.allot(late, is_decoding=True) == (31, 3)
    assert pace.allot([2000], is_decoding=True, has_just_begun=True) == (400, 1)
