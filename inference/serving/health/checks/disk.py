"""The space on the disks of the models folder and the data folder."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from inference.core import disk_space
from inference.serving.health.finding import CheckResult, State

_GB = 10**9
_FOR_A_MODEL = 5 * _GB
_MODELS_LINK = "/admin/inference/servedmodel/"


def check() -> Iterator[CheckResult]:
    models, data = settings.CONFIG.models_path, settings.CONFIG.data_dir
    yield _models(disk_space.free(models))
    if not _is_same_disk(models, data) and (free := disk_space.free(data)) < _FOR_A_MODEL:
        yield _data(free)


def _models(free: int) -> CheckResult:
    text = f"{free / _GB:.1f} GB free for models"
    if free >= _FOR_A_MODEL:
        return CheckResult(about="disk", text=text)
    advice = "Delete models that are not used, free some space, or set MLX_SERVER_MODELS_DIR."
    return CheckResult(about="disk", text=text, state=_state(free), advice=advice, link=_MODELS_LINK)


def _data(free: int) -> CheckResult:
    text = f"{free / _GB:.1f} GB free for the database and the log"
    advice = "Free some space: without it, requests, chats and choices are not stored."
    return CheckResult(about="disk", text=text, state=_state(free), advice=advice)


def _state(free: int) -> State:
    return "wrong" if free < disk_space.SPARE_BYTES else "look"


def _is_same_disk(one: Path, other: Path) -> bool:
    """Whether both are on one disk; a folder that does not exist yet counts as being on the other one's."""
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return True
