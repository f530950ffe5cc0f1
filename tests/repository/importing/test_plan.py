from pathlib import Path

import pytest

from inference.core import disk_space
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.importing.gguf_folder import GgufFolder
from inference.repository.importing.plan import default_name, make_plan
from tests.each import each
from tests.repository.files.test_gguf import gguf


@pytest.fixture
def folder(tmp_path: Path) -> GgufFolder:
    (tmp_path / "gguf").mkdir()
    (tmp_path / "gguf" / "x.gguf").write_bytes(gguf())
    return GgufFolder(tmp_path / "gguf")


@each(
    ("file", "name"),
    [
        ("SmolLM2-135M.Q4_K_M.gguf", "SmolLM2-135M.Q4_K_M"),
        ("My model (1).gguf", "My-model-1"),
        ("…naïve.GGUF", "na-ve"),
        ("___.gguf", "model"),
        ("x.partial.gguf", "model"),
        (f"{'a' * 150}.gguf", "a" * 96),
    ],
)
def test_a_model_is_named_after_its_file(file: str, name: str) -> None:
    assert default_name(file) == name


def test_a_good_file_gets_a_job(folder: GgufFolder, models: Path) -> None:
    plan = make_plan(folder, "x.gguf", models)
    assert (plan.job.source, plan.job.name, plan.job.target_path) == ("x.gguf", "x", str(models / "x"))
    assert plan.job.source_path == str(folder.path / "x.gguf") and plan.bytes > 64
    assert make_plan(folder, "x.gguf", models, name="org/y").job.name == "org/y"


@pytest.mark.parametrize("name", ["../x", ".x", "x y", "a/b/c", "x.partial"])
def test_what_can_be_no_name_is_refused(folder: GgufFolder, models: Path, name: str) -> None:
    with pytest.raises(ConversionRefused, match="cannot be a model's name"):
        make_plan(folder, "x.gguf", models, name=name)


def test_a_taken_name_is_refused(folder: GgufFolder, models: Path) -> None:
    (models / "x").mkdir()
    with pytest.raises(ConversionRefused, match="x already exists.*choose another name"):
        make_plan(folder, "x.gguf", models)


def test_a_broken_file_is_refused_in_the_words_of_the_import(folder: GgufFolder, models: Path) -> None:
    (folder.path / "cut.gguf").write_bytes(gguf(data=0))
    with pytest.raises(ConversionRefused, match="The file is cut off"):
        make_plan(folder, "cut.gguf", models)


def test_a_full_disk_is_told_before_anything_begins(
    folder: GgufFolder, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "free", lambda place: disk_space.SPARE_BYTES + 10)
    with pytest.raises(ConversionRefused, match="make room first"):
        make_plan(folder, "x.gguf", models)
