from pathlib import Path

import pytest

from inference.worker.engine.batch import Batch
from inference.worker.lockstep.batch import LockstepBatch
from tests.worker.models import Poisoned, sequence, tiny

pytestmark = pytest.mark.mlx


def test_a_sequence_can_be_taken_out_and_go_on(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    batch = LockstepBatch(lambda: Batch(model, max_batch=4, prefill_step=64))
    batch.add(sequence(1, prompt=(5, 6, 7), max_tokens=6))
    while not any(getattr(one, "token", None) for one in batch.step()):
        pass
    taken = batch.suspend(1)
    assert taken and len(taken.answered) == 1 and not batch.is_busy
    assert batch.suspend(1) is None and batch.ids == []
    batch.add(taken)
    assert batch.ids == [1]


def test_an_error_of_a_step_is_not_recovered_from(tmp_path: Path) -> None:
    model = Poisoned(tiny(tmp_path), 251)
    batch = LockstepBatch(lambda: Batch(model, max_batch=4, prefill_step=64))
    batch.add(sequence(1, prompt=(251, 251, 5), max_tokens=6))
    with pytest.raises(RuntimeError):
        for _ in range(9):
            list(batch.step())
