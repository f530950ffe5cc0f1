"""Where this copy of the site lies: in a checkout, or among installed packages as the program `mlxsite`.

A wheel has the templates, the static files and the pages of docs/ inside its package `mlxsite`; a checkout
has them beside `manage.py`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

BASE_DIR = Path(__file__).resolve().parents[2]  # the folder of our packages
_NAME = "mlxsite"
_DATA_DIR = "MLX_SERVER_DATA_DIR"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One copy of the site: its folders, and the command that its messages name."""

    is_checkout: bool
    program: str  # what an operator types before `serve` or another command
    resources: Path  # the folder of templates/, static/ and docs/
    data_dir: Path  # the data folder unless a setting names another one
    env_file: Path  # relative to the current folder in a checkout

    def page(self, name: str) -> str:
        """A page of the documentation, as an operator here finds it."""
        return f"docs/{name}" if self.is_checkout else str(self.resources / "docs" / name)

    def install_extra(self, name: str) -> str:
        """The command that installs an optional part of this project, such as `logfire`."""
        return f"pip install -e '.[{name}]'" if self.is_checkout else f"pip install '{_NAME}[{name}]'"


def installation_at(base_dir: Path, environment: Mapping[str, str]) -> Installation:
    """The installation whose packages lie in `base_dir`.

    An installed program reads its `.env` from its data folder: it may be started from any folder, and a file
    `.env` there may belong to another program.
    """
    package = base_dir / _NAME
    if not (package / "templates").is_dir():
        return Installation(
            is_checkout=True,
            program="python manage.py",
            resources=base_dir,
            data_dir=base_dir / "data",
            env_file=Path(".env"),
        )
    data_dir = user_data_path(_NAME, appauthor=False)
    given = {name.upper(): value for name, value in environment.items()}.get(_DATA_DIR)
    return Installation(
        is_checkout=False,
        program=_NAME,
        resources=package,
        data_dir=data_dir,
        env_file=(Path(given) if given else data_dir) / ".env",
    )


INSTALLATION = installation_at(BASE_DIR, os.environ)
PROGRAM = INSTALLATION.program
