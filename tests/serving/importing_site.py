"""A site with a folder of GGUF files, and scripted imports."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Self

from django.conf import settings
from django.test import override_settings

from inference.repository.importing.register import Imports
from inference.serving import gguf_imports
from tests.repository.files.test_gguf import TEXT, entry, gguf, text
from tests.repository.importing.scripted_process import SCRIPTED


class ImportingSite:
    """The files `x.gguf`, which can be imported, and `clip.gguf`, which cannot."""

    def __init__(self, folder: Path, models: Path, register: Imports) -> None:
        self.folder, self.models, self.register = folder, models, register

    @classmethod
    @contextmanager
    def of(cls, data: Path) -> Iterator[Self]:
        folder, models = data / "gguf", data / "models"
        folder.mkdir()
        models.mkdir()
        (folder / "x.gguf").write_bytes(gguf())
        (folder / "clip.gguf").write_bytes(gguf([entry("general.architecture", TEXT, text("clip"))]))
        register = Imports(
            models,
            claim=lambda plan: nullcontext(),
            on_done=lambda: None,
            leaves_notes=True,
            module=SCRIPTED,
        )
        config = settings.CONFIG.model_copy(update={"models_dir": models, "gguf_dir": folder})
        with override_settings(CONFIG=config), gguf_imports.use_register(register):
            yield cls(folder, models, register)
            register.close()

    def go(self, file: str = "x.gguf") -> None:
        """Let the import of a file end."""
        (self.folder / f"{file}.go").touch()
