"""The name of a model that is to be made."""

from pathlib import Path

from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import check_target
from inference.repository.downloads.hub_names import is_name


def check_name(name: str, models_dir: Path) -> None:
    """Raise ConversionRefused for a name that cannot be a folder's, or that is taken."""
    if not is_name(name) or name.endswith(".partial"):
        raise ConversionRefused(
            f"{name[:200]!r} cannot be a model's name: use letters, digits, dots, dashes and underscores, "
            "and at most one slash.",
            field="name",
        )
    try:
        check_target(name, models_dir / name)
    except FetchFailed as error:
        raise ConversionRefused(f"{error} Or choose another name.", field="name") from None
