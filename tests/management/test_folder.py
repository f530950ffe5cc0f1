from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.core.config import Config
from inference.management.folder import models_folder


def test_the_folder_of_its_own_is_made(tmp_path: Path) -> None:
    assert models_folder(Config(data_dir=tmp_path)) == tmp_path / "models"
    assert (tmp_path / "models").is_dir()


def test_a_folder_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, models_dir=tmp_path / "typo")
    with pytest.raises(CommandError, match=f"There is no folder {tmp_path}/typo.*go to {tmp_path}/models"):
        models_folder(config)
    (tmp_path / "typo").mkdir()
    assert models_folder(config) == tmp_path / "typo"


@pytest.mark.parametrize("command", [("pull", "org/name"), ("import_gguf", __file__, "--name", "a")])
def test_nothing_is_written_beside_it(command: tuple[str, ...], tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, models_dir=tmp_path / "typo")
    with override_settings(CONFIG=config), pytest.raises(CommandError, match="There is no folder"):
        call_command(*command)
    assert list(tmp_path.iterdir()) == []
