"""Names Django's settings to pytest-django, unless the run is of folders whose tests use no Django.

Loaded with `-p`, because pytest-django reads their name before any conftest.
"""

import atexit
import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# To set Django up takes longer than most files of these folders take.
WITHOUT_DJANGO = [TESTS / folder for folder in ("adapters", "core", "pool", "repository", "worker")]


def _keep_data_on_postgresql() -> None:
    """Have Django's test database on PostgreSQL: MLXSITE_POSTGRES is `1`, or the address of a server."""
    given = os.environ.get("MLXSITE_POSTGRES", "")
    if given == "1":
        from tests.postgres import PostgresServer

        server = PostgresServer().__enter__()
        atexit.register(server.__exit__)
        # The workers of pytest-xdist have databases of their own on it.
        given = os.environ["MLXSITE_POSTGRES"] = server.url()
    if given:
        from inference.core.config import config

        os.environ["MLX_SERVER_DATABASE_URL"] = given
        config()  # which reads it once
        del os.environ["MLX_SERVER_DATABASE_URL"]  # sites that tests start have their own data


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if not _runs_without_django(early_config.known_args_namespace.file_or_dir):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
        _keep_data_on_postgresql()


def _runs_without_django(arguments: list[str]) -> bool:
    paths = [Path(argument.partition("::")[0]).resolve() for argument in arguments]
    return bool(paths) and all(
        any(path.is_relative_to(folder) for folder in WITHOUT_DJANGO) for path in paths
    )
