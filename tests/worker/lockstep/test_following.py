"""Two engines' rounds in one process: the other rank gets what rank 0 decided, or finds that it differs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.core.protocol import Shed
from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Output, Prefilled, Sampled
from inference.worker.lockstep.following import FollowingRounds, RanksDisagree
from inference.worker.lockstep.frames import Round, read
from inference.worker.lockstep.leading import LeadingRounds
from tests.worker.models import tiny

pytestmark = pytest.mark.mlx
OUTPUTS: list[Output] = [Prefilled(7, 5, 9), Sampled(7, 42, None), Sampled(8, 43, "stop")]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    out, into = os.pipe()
    yield out, into
    os.close(out)
    os.close(into)


def sent(out: int) -> Round:
    frame = read(out)
    assert frame
    return frame


def test_the_other_rank_goes_by_the_commands_and_the_speed_of_rank_0(
    pipe: tuple[int, int], tmp_path: Path
) -> None:
    model, (out, into) = tiny(tmp_path), pipe
    leading, following = LeadingRounds([into]), FollowingRounds()
    own, other = (
        rounds.new_batch(lambda: Batch(model, max_batch=4, prefill_step=64), lambda: None)
        for rounds in (leading, following)
    )
    own.prefill_rate = 321.5
    assert leading.next(lambda: [Shed(keep_bytes=3)]) == [Shed(keep_bytes=3)]
    following.put(sent(out))
    assert following.next(list) == [Shed(keep_bytes=3)]
    assert other.prefill_rate == 321.5 and not other.is_busy


def test_ranks_that_computed_the_same_agree_and_any_difference_is_found(pipe: tuple[int, int]) -> None:
    out, into = pipe
    for theirs in (OUTPUTS, OUTPUTS[:2], [*OUTPUTS[:2], Sampled(8, 44, "stop")], OUTPUTS[::-1]):
        leading, following = LeadingRounds([into]), FollowingRounds()
        leading.note(OUTPUTS)
        following.note(theirs)
        leading.next(list)
        following.put(sent(out))
        if theirs == OUTPUTS:
            assert following.next(list) == []
        else:
            with pytest.raises(RanksDisagree):
                following.next(list)


def test_rank_0_cannot_go_on_without_another(pipe: tuple[int, int]) -> None:
    out, into = os.pipe()
    os.close(out)
    with pytest.raises(BrokenPipeError):
        LeadingRounds([into]).next(list)
    os.close(into)
