"""The settings every test runs under; loaded with `-p` because Django reads them before any conftest."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Setting Django up takes longer than most files of these folders; without it they import none of its models.
WITHOUT_DJANGO = [TESTS / folder for folder in ("adapters", "core", "pool", "repository", "worker")]

_data_dir = tempfile.mkdtemp(prefix="mlxsite-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("MLX_SERVER_")]:
    del os.environ[name]
os.environ["MLX_SERVER_DATA_DIR"] = _data_dir
os.environ["MLX_SERVER_USE_HUB_CACHE"] = "false"
os.environ["MLX_SERVER_TITLES"] = "false"  # their requests would be among those that tests look at
# Logfire comes with a pydantic plugin that costs two seconds at every start of every process.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Name the settings to pytest-django, unless the run is of files that need none."""
    if not _runs_without_django(early_config.known_args_namespace.file_or_dir):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")


def _runs_without_django(arguments: list[str]) -> bool:
    paths = [Path(argument.partition("::")[0]).resolve() for argument in arguments]
    return bool(paths) and all(
        any(path.is_relative_to(folder) for folder in WITHOUT_DJANGO) for path in paths
    )
