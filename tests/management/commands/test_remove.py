from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.core.config import Config
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.management.client import Client
from inference.management.commands.remove import Command
from inference.models import ServedModel
from inference.repository.catalog import Catalog
from inference.repository.files.staging import draft_of, staged
from inference.serving import runtime, site_lock
from tests.fakes import fake_pool
from tests.management.fake_site import FakeSite, run
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "models"
    make_tiny_model(folder / "tiny")
    catalog = Catalog(folder, use_hub_cache=False)
    config = Config(models_dir=folder, use_hub_cache=False)
    with override_settings(CONFIG=config), runtime.use_pool(fake_pool([]), models=catalog):
        yield folder


class Stranger(Client):
    """Something else that answers at the site's address."""

    def pool(self) -> PoolSnapshot:
        raise CommandError("What runs there is another program.")


def site(state: ModelState) -> FakeSite:
    return FakeSite(PoolSnapshot(limit_bytes=1, models=(ResidentModel(id="tiny", state=state),)))


@pytest.mark.parametrize("state", [ModelState.LOADING, ModelState.READY, ModelState.BUSY])
def test_what_the_running_site_has_loaded_stays(models: Path, state: ModelState) -> None:
    with pytest.raises(
        CommandError, match=f"tiny is {state} in the running site; `python manage.py unload tiny`"
    ):
        run(Command, site(state), "tiny", "--yes")
    assert (models / "tiny").exists()


@pytest.mark.parametrize("state", [ModelState.UNLOADED, ModelState.FAILED])
def test_what_it_has_not_loaded_goes(models: Path, state: ModelState) -> None:
    assert "was deleted" in run(Command, site(state), "tiny", "--yes")
    assert list(models.iterdir()) == []


def test_without_a_running_site_nobody_is_asked(models: Path) -> None:
    output = run(Command, Client("127.0.0.1", 9), "tiny", "--yes")
    assert "No site is running" in output and "was deleted" in output


def test_a_site_that_cannot_be_asked_keeps_its_models(models: Path) -> None:
    """Such as one on a port that neither the settings nor the options name."""
    with site_lock.locked(settings.CONFIG.data_dir) as place:
        place.listens("127.0.0.1", 9)
        for given in ((), ("--port", "9")):
            with pytest.raises(CommandError, match="unknown whether the site uses tiny.*--without-site"):
                call_command("remove", "tiny", "--yes", *given)
        assert (models / "tiny").exists()
        call_command("remove", "tiny", "--yes", "--without-site")
    assert not (models / "tiny").exists()


def test_the_beginning_of_a_download_goes_unless_somebody_goes_on_with_it(models: Path) -> None:
    half = models / "org" / "half"
    with pytest.raises(KeyboardInterrupt), staged(half, keeps_draft=True):
        with pytest.raises(CommandError, match="Another download of org/half is in progress"):
            run(Command, site(ModelState.UNLOADED), "org/half")
        raise KeyboardInterrupt
    assert draft_of(half).exists()
    assert "were deleted" in run(Command, site(ModelState.UNLOADED), "org/half")
    assert not draft_of(half).exists()


def test_what_a_killed_import_left_goes(models: Path) -> None:
    draft_of(models / "imported").mkdir()
    assert "files of imported were deleted" in run(Command, site(ModelState.UNLOADED), "imported")
    assert not draft_of(models / "imported").exists()


def test_what_is_left_beside_a_model_goes_alone(models: Path) -> None:
    draft_of(models / "tiny").mkdir()
    assert "were deleted" in run(Command, site(ModelState.READY), "tiny", "--draft")
    assert not draft_of(models / "tiny").exists() and (models / "tiny").exists()


@pytest.mark.parametrize("name", ["nobody", "org/nobody", "../x"])
def test_what_never_began_is_reported(models: Path, name: str) -> None:
    with pytest.raises(CommandError, match="There is no model"):
        run(Command, site(ModelState.UNLOADED), name)


def test_what_a_killed_run_left_is_no_hindrance(models: Path) -> None:
    (models / ".removed-tiny" / "folder").mkdir(parents=True)
    run(Command, site(ModelState.UNLOADED), "tiny", "--yes")
    assert list(models.iterdir()) == []


def test_a_process_that_cannot_be_inspected_is_not_passed_over(models: Path) -> None:
    stranger = Stranger("127.0.0.1", 1)
    with pytest.raises(CommandError, match="another program.*--without-site"):
        run(Command, stranger, "tiny", "--yes")
    assert (models / "tiny").exists()
    assert "was deleted" in run(Command, stranger, "tiny", "--yes", "--without-site")


def test_the_settings_of_a_model_whose_folder_is_gone_go(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ServedModel.objects.create(name="gone", top_k=5)
    monkeypatch.setattr("builtins.input", lambda: "another")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        run(Command, site(ModelState.UNLOADED), "gone")
    with pytest.raises(CommandError, match="no incomplete one"):
        run(Command, site(ModelState.UNLOADED), "gone", "--draft")
    assert ServedModel.objects.exists()
    monkeypatch.setattr("builtins.input", lambda: "gone")
    assert "The settings of gone are deleted." in run(Command, site(ModelState.UNLOADED), "gone")
    assert not ServedModel.objects.exists() and (models / "tiny").exists()
