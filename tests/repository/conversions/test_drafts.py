from pathlib import Path

from inference.core.quantisation import JOB_FILE
from inference.repository.conversions.drafts import ConversionDrafts, discard
from inference.repository.files import staging


def leave(target: Path, *, is_ours: bool = True) -> Path:
    draft = staging.draft_of(target)
    draft.mkdir(parents=True)
    (draft / "model.safetensors").write_text("half")
    if is_ours:
        (draft / JOB_FILE).touch()
    return draft


def drafts_in(models: Path) -> ConversionDrafts:
    return ConversionDrafts(models, JOB_FILE)


def test_what_was_left_is_deleted_and_told(models: Path) -> None:
    ours = [leave(models / name) for name in ("a-4bit", "org/b-4bit")]
    assert set(drafts_in(models).clear()) == {"a-4bit", "org/b-4bit"}
    assert [draft for draft in ours if draft.exists()] == [] and drafts_in(models).clear() == []


def test_drafts_of_downloads_and_other_files_stay(models: Path) -> None:
    other = leave(models / "org" / "c", is_ours=False)
    (models / ".hidden").mkdir()
    (models / ".hidden" / JOB_FILE).touch()
    (models / ".x.partial").touch()
    assert drafts_in(models).clear() == [] and other.exists() and (models / ".hidden").exists()


def test_links_are_not_followed(models: Path, tmp_path: Path) -> None:
    draft = leave(tmp_path / "elsewhere" / "d-4bit")
    (models / "org").symlink_to(tmp_path / "elsewhere")
    assert drafts_in(models).clear() == [] and draft.exists()


def test_one_that_is_being_made_is_told_and_kept(models: Path) -> None:
    with staging.staged(models / "a-4bit", keeps_draft=True) as draft:
        (draft / JOB_FILE).touch()
        assert drafts_in(models).clear() == []
        discard(models / "a-4bit")
        assert drafts_in(models).in_progress() == ["a-4bit"]
        assert draft.exists()
    assert drafts_in(models).in_progress() == []
