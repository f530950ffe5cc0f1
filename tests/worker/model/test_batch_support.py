"""What was verified of a model is kept, for models of the same shape under the same mlx-lm."""

from pathlib import Path
from typing import Any

import pytest

from inference.worker.model import batch_support
from inference.worker.model.batch_support import BatchSupport, key_of, load_or_verify

pytestmark = pytest.mark.mlx
CONFIG: dict[str, Any] = {"model_type": "llama", "hidden_size": 64, "text_config": {"num_hidden_layers": 2}}
FOUND = BatchSupport(can_batch=False, reason="of a test")


class Measuring:
    """A measurement that counts how often it was made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> BatchSupport:
        self.times += 1
        return FOUND


def measured(folder: Path, *configs: dict[str, Any]) -> int:
    """How many of the models with these configs, loaded one after another, had to be measured."""
    measure = Measuring()
    for config in configs:
        assert load_or_verify(measure, config, str(folder)) == FOUND
    return measure.times


def test_a_model_is_measured_once(tmp_path: Path) -> None:
    assert measured(tmp_path / "new", CONFIG, CONFIG, dict(CONFIG)) == 1


@pytest.mark.parametrize(
    "change", [{"_name_or_path": "other/name"}, {"eos_token_id": [1, 2]}, {"transformers_version": "9"}]
)
def test_a_fine_tune_of_the_same_shape_is_known(tmp_path: Path, change: dict[str, Any]) -> None:
    assert measured(tmp_path, CONFIG, CONFIG | change) == 1


@pytest.mark.parametrize(
    "change",
    [{"model_type": "gemma2"}, {"hidden_size": 128}, {"text_config": {"num_hidden_layers": 3}}, {"new": 1}],
)
def test_another_shape_is_measured_for_itself(tmp_path: Path, change: dict[str, Any]) -> None:
    assert measured(tmp_path, CONFIG, CONFIG | change) == 2


def test_other_kv_caches_are_measured_for_themselves(tmp_path: Path) -> None:
    measure = Measuring()
    for bits in (0, 8, 4, 8, 0):
        load_or_verify(measure, CONFIG, str(tmp_path), bits)
    assert measure.times == 3 and key_of(CONFIG, 0) == key_of(CONFIG)


def test_another_mlx_lm_has_everything_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(CONFIG)
    monkeypatch.setattr(batch_support, "version", lambda name: "99")
    assert key_of(CONFIG) != before


@pytest.mark.parametrize("damage", [b"", b"nonsense", b'{"can_batch": "maybe"}'])
def test_a_damaged_result_is_measured_again(tmp_path: Path, damage: bytes) -> None:
    measured(tmp_path, CONFIG)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert measured(tmp_path, CONFIG, CONFIG) == 1


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert measured(tmp_path / "file", CONFIG, CONFIG) == 2


def test_without_a_folder_nothing_is_kept() -> None:
    measure = Measuring()
    assert [load_or_verify(measure, CONFIG, "") for _ in range(2)] == [FOUND, FOUND]
    assert measure.times == 2


def test_the_owner_learns_that_requests_are_computed_one_at_a_time() -> None:
    (finding,) = FOUND.findings
    assert (finding.light, finding.about) == ("amber", "batch") and "of a test" in finding.text
    assert BatchSupport(can_prefill_together=False).findings == ()
