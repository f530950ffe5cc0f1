"""What a step costs besides the model: that it is measured at all, with each kind of row."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from inference.worker.step_cost import StepCost, StepRound, measure, requests
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("free"))


def test_mixed_rows_are_eight_kinds_and_greedy_ones_are_one() -> None:
    mixed = requests(StepRound(rows=16, steps=5))
    assert len({(one.sampling, one.logprobs) for one in mixed[:8]}) == 8
    assert {one.ignores_end for one in mixed} == {True}
    greedy = requests(StepRound(rows=16, steps=5, kind="greedy"))
    assert {(one.sampling.temperature, one.logprobs) for one in greedy} == {(0.0, None)}


@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 260), (9, 260), (8, 100)])
def test_a_round_has_a_time_for_each_thread(folder: Path, rows: int, vocabulary: int) -> None:
    cost = measure(folder, StepRound(rows=rows, steps=5, vocabulary=vocabulary))
    assert cost.engine > 0
    assert cost.text > 0
    assert cost.step > 0


def test_rounds_are_read_from_the_input_until_it_ends(folder: Path) -> None:
    lines = b"".join(
        msgspec.json.encode(StepRound(rows=rows, steps=3, vocabulary=260)) + b"\n" for rows in (1, 2)
    )
    process = subprocess.run(
        [sys.executable, "-m", "inference.worker.step_cost", "--model", str(folder)],
        input=lines,
        capture_output=True,
        timeout=120,
        check=True,
    )
    costs = [msgspec.json.decode(line, type=StepCost) for line in process.stdout.splitlines()]
    assert len(costs) == 2


def test_a_folder_without_a_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="could not be loaded"):
        measure(tmp_path, StepRound(rows=1, steps=3))
