import json
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.core import disk_space
from inference.core.model_card import ModelCard
from inference.core.quantisation import QuantisationSettings
from inference.repository import card_reader
from inference.repository.card_reader import make_card
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.quantising.plan import QuantisationPlan, QuantisingMachine, make_plan
from tests.fakes import card
from tests.tiny_vectors import make_tiny_bert

Put = Callable[..., Path]
FOUR = QuantisationSettings()


def read(folder: Path, name: str = "tiny") -> ModelCard:
    return make_card(name, folder, "folder", card_reader.Machine(dequantises=False))


@pytest.fixture
def planned(models: Path) -> Callable[..., QuantisationPlan]:
    def planned(source: ModelCard, settings: QuantisationSettings = FOUR, **more: object) -> QuantisationPlan:
        return make_plan(source, settings, QuantisingMachine(models_dir=models, dequantises=False), **more)  # type: ignore[arg-type]

    return planned


Planned = Callable[..., QuantisationPlan]


def refusal(planned: Planned, *arguments: object, **more: object) -> str:
    with pytest.raises(ConversionRefused) as refused:
        planned(*arguments, **more)
    return str(refused.value)


def test_a_model_gets_a_name_and_a_prediction(put: Put, planned: Planned, models: Path) -> None:
    made = planned(read(put("tiny")))
    assert (made.job.name, made.job.target_path) == ("tiny-4bit", str(models / "tiny-4bit"))
    sizes = made.prediction
    assert sizes.bytes < sizes.source_bytes / 5 and sizes.memory_bytes < sizes.source_memory_bytes / 5
    assert sizes.needed_disk_bytes > sizes.bytes and sizes.needed_memory_bytes > sizes.source_memory_bytes
    unmeasured = planned(read(put("org/other"), "org/other"), measures=False)
    assert unmeasured.job.name == "org/other-4bit"
    assert unmeasured.prediction.needed_memory_bytes < sizes.needed_memory_bytes


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (QuantisationSettings(bits=8), "tiny-8bit"),
        (QuantisationSettings(recipe="mixed_4_6", group_size=32), "tiny-mixed_4_6"),
    ],
)
def test_the_name_tells_the_settings(
    put: Put, planned: Planned, settings: QuantisationSettings, name: str
) -> None:
    assert planned(read(put("tiny")), settings).job.name == name


def test_where_weights_are_dequantised_memory_is_the_same(put: Put, models: Path) -> None:
    made = make_plan(read(put("tiny")), FOUR, QuantisingMachine(models_dir=models, dequantises=True))
    assert made.prediction.memory_bytes == made.prediction.source_memory_bytes


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (QuantisationSettings(bits=3), "3 bits are not possible; choose 8, 6, 5 or 4."),
        (QuantisationSettings(recipe="mixed_9_9"), "no recipe 'mixed_9_9'; choose one of mixed_2_6"),
        (QuantisationSettings(group_size=16), "Groups of 16 are not possible; choose 64, 32 or 128."),
    ],
)
def test_other_settings_are_refused(
    put: Put, planned: Planned, settings: QuantisationSettings, reason: str
) -> None:
    assert reason in refusal(planned, read(put("tiny")), settings)


def test_a_quantised_model_is_refused(put: Put, planned: Planned) -> None:
    folder = put("tiny", quantization={"bits": 4, "group_size": 64})
    assert "is quantised already (4bit); quantise the full-precision model" in refusal(planned, read(folder))
    folder = put("fp8", quantization_config={"quant_method": "fp8"})
    assert "is quantised already, says its config.json" in refusal(planned, read(folder, "fp8"))


def test_what_is_no_text_model_is_refused(put: Put, planned: Planned, tmp_path: Path) -> None:
    vectors = read(make_tiny_bert(tmp_path / "bert"), "bert")
    assert vectors.kind == "embedding" and "does not generate text" in refusal(planned, vectors)
    adapter = card("tiny:mine", base="tiny")
    assert "tiny:mine is an adapter; quantise its model, tiny." in refusal(planned, adapter)
    (tmp_path / "unknown").mkdir()
    (tmp_path / "unknown" / "config.json").write_text(json.dumps({"model_type": "x"}))
    assert "it has no weights" in refusal(planned, read(tmp_path / "unknown", "unknown"))


@pytest.mark.parametrize("name", ["../x", "a/b/c", ".x", "x y", "x.partial", "a" * 300])
def test_what_can_be_no_name_is_refused(put: Put, planned: Planned, name: str) -> None:
    assert "cannot be a model's name" in refusal(planned, read(put("tiny")), name=name)


def test_a_taken_name_is_refused(put: Put, planned: Planned) -> None:
    put("taken")
    reason = refusal(planned, read(put("tiny")), name="taken")
    assert "taken already exists" in reason and "choose another name" in reason


def test_nothing_is_written_through_a_link(put: Put, planned: Planned, models: Path, tmp_path: Path) -> None:
    (models / "linked").symlink_to(tmp_path)
    assert "is a link" in refusal(planned, read(put("tiny")), name="linked/tiny-4bit")


def test_a_full_disk_is_refused_with_numbers(
    put: Put, planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read(put("tiny"))
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
    assert "tiny-4bit needs 0.0 GB and the disk has" in refusal(planned, source)
