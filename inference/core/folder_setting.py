"""The folders that an operator may name."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from inference.core.installation import INSTALLATION


class FolderSettings(BaseSettings):
    """The settings that name folders, and the folders that are used."""

    data_dir: Path = Field(
        INSTALLATION.data_dir, description="Folder with the database, the secret key and the models."
    )
    models_dir: Path | None = Field(
        None, description="Folder with the models; none uses `models` in the data folder."
    )
    gguf_dir: Path | None = Field(
        None, description="Folder with GGUF files to import; none uses `gguf` in the data folder."
    )

    @field_validator("data_dir", "models_dir", "gguf_dir", mode="before")
    @classmethod
    def _is_a_folder(cls, value: Path | str | None) -> Path | None:
        return None if value is None else folder_path(str(value))

    @property
    def models_path(self) -> Path:
        return self.models_dir or self.data_dir / "models"

    @property
    def gguf_path(self) -> Path:
        return self.gguf_dir or self.data_dir / "gguf"


def folder_path(text: str) -> Path:
    """A folder that is there or can be made; ValueError for what is none."""
    if not text.strip():
        raise ValueError("it is empty; name a folder, or unset it")
    if text != text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} has spaces around it, or a control character")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"the home folder that {text} begins with does not exist") from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"there is a file at {text}; name a folder")
    return path
