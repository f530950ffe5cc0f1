"""Names Django's settings to pytest-django, unless the run is of folders whose tests use no Django.

Loaded with `-p`, because pytest-django reads their name before any conftest.
"""

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# To set Django up takes longer than most files of these folders take.
WITHOUT_DJANGO = [TESTS / folder for folder in ("adapters", "core", "pool", "repository", "worker")]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if not _runs_without_django(early_config.known_args_namespace.file_or_dir):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")


def _runs_without_django(arguments: list[str]) -> bool:
    paths = [Path(argument.partition("::")[0]).resolve() for argument in arguments]
    return bool(paths) and all(
        any(path.is_relative_to(folder) for folder in WITHOUT_DJANGO) for path in paths
    )
