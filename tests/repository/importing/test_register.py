"""The register with the real process; tests/repository/conversions/test_register.py has a scripted one."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from inference.core.gguf_import import JOB_FILE
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.files.staging import draft_of
from inference.repository.importing.gguf_folder import GgufFolder
from inference.repository.importing.plan import make_plan
from inference.repository.importing.register import Imports
from tests.gguf_files import tiny_weights, write_gguf
from tests.repository.conversions.waiting import has_ended, until

pytestmark = pytest.mark.mlx


def imports(models: Path) -> Imports:
    return Imports(models, claim=lambda plan: nullcontext(), on_done=lambda: None)


@pytest.fixture
def register(models: Path) -> Iterator[Imports]:
    made = imports(models)
    yield made
    made.close()


def test_files_are_imported_one_after_another_and_a_broken_one_is_named(
    register: Imports, models: Path, tmp_path: Path
) -> None:
    folder = GgufFolder(tmp_path)
    weights = tiny_weights(tmp_path / "t")
    write_gguf(tmp_path / "bad.gguf", weights, changes={"tokenizer.ggml.model": "rwkv"})
    write_gguf(tmp_path / "good.gguf", weights)
    for name in ("bad.gguf", "good.gguf"):
        register.start(make_plan(folder, name, models))
    done = until(register, has_ended, "good")
    assert done.state is ConversionState.DONE
    assert {(step.name, step.done == step.size > 0) for step in done.progress.steps} == {("import", True)}
    bad = until(register, has_ended, "bad")
    assert (bad.state, bad.message) == (
        ConversionState.FAILED,
        "bad.gguf cannot be converted: the tokenizer kind 'rwkv' is not supported",
    )
    assert [path.name for path in models.iterdir()] == ["good"]
    assert (models / "good" / "config.json").is_file() and not (models / "good" / JOB_FILE).exists()


def test_what_a_killed_site_left_is_deleted_and_told(models: Path) -> None:
    draft = draft_of(models / "x")
    draft.mkdir()
    (draft / JOB_FILE).touch()
    (told,) = imports(models).all()
    assert (told.name, told.state) == ("x", ConversionState.INTERRUPTED) and not draft.exists()
