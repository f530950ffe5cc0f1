"""What importing one GGUF file would make; everything is checked that can be before it begins."""

import re
from pathlib import Path

from msgspec import Struct

from inference.core import disk_space
from inference.core.gguf_import import GgufImportJob
from inference.repository import gguf_import
from inference.repository.conversions.model_name import check_name
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.files import staging
from inference.repository.files.gguf import ImportRefused
from inference.repository.importing.gguf_folder import GgufFolder

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST = 96  # characters of a name


class ImportPlan(Struct, frozen=True, kw_only=True):
    """One job, and the size of its file."""

    job: GgufImportJob
    bytes: int


def default_name(file_name: str) -> str:
    """The name of the model that is made of a file, unless another one is given."""
    name = _NOT_IN_NAMES.sub("-", Path(file_name).stem).strip("-._")[:_MOST]
    return name if staging.NAME.fullmatch(name) and not name.endswith(".partial") else "model"


def make_plan(folder: GgufFolder, file_name: str, models_dir: Path, *, name: str = "") -> ImportPlan:
    """The plan for one file of the folder; raises ConversionRefused for what cannot be imported."""
    source = folder.path_of(file_name)
    name = name or default_name(file_name)
    check_name(name, models_dir)
    try:
        gguf_import.check(source)
        size = source.stat().st_size
    except ImportRefused as error:
        raise ConversionRefused(str(error), field="file") from None
    except OSError as error:
        raise ConversionRefused(f"{file_name} cannot be read: {error.strerror}.", field="file") from None
    # The process knows the size of the result to the byte, and checks it before it writes the first one.
    if shortage := disk_space.shortage(models_dir, size):
        raise ConversionRefused(f"{name} {shortage}.")
    job = GgufImportJob(
        source=file_name, source_path=str(source), name=name, target_path=str(models_dir / name)
    )
    return ImportPlan(job=job, bytes=size)
