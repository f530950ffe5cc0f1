"""The folders and the command of a checkout, and of a program that is installed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.core.installation import BASE_DIR, INSTALLATION, installation_at
from tests.test_architecture import sources

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
COMMAND = re.compile(r"manage\.py \w")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that a wheel was installed into, and a home folder beside it."""
    folder = tmp_path / "site-packages"
    (folder / "mlxsite" / "templates").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return folder


def test_a_checkout_has_all_beside_manage_py() -> None:
    assert INSTALLATION.is_checkout and (INSTALLATION.resources / "manage.py").exists()
    assert INSTALLATION.data_dir == BASE_DIR / "data"
    assert (INSTALLATION.program, str(INSTALLATION.env_file)) == ("python manage.py", ".env")
    assert INSTALLATION.page("tls.md") == "docs/tls.md"
    assert INSTALLATION.install_extra("logfire") == "pip install -e '.[logfire]'"


def test_a_wheel_has_all_in_its_package_and_its_data_in_the_users_folder(
    packages: Path, tmp_path: Path
) -> None:
    found = installation_at(packages, {})
    assert (found.is_checkout, found.program) == (False, "mlxsite")
    assert found.resources == packages / "mlxsite"
    assert found.data_dir.is_relative_to(tmp_path / "home")
    assert found.env_file == found.data_dir / ".env"
    assert found.page("tls.md") == str(packages / "mlxsite" / "docs" / "tls.md")
    assert found.install_extra("logfire") == "pip install 'mlxsite[logfire]'"


@pytest.mark.parametrize("name", ["MLX_SERVER_DATA_DIR", "mlx_server_data_dir"])
def test_settings_are_read_from_the_data_folder_that_the_environment_names(packages: Path, name: str) -> None:
    found = installation_at(packages, {name: "/srv/mlxsite"})
    assert found.env_file == Path("/srv/mlxsite/.env")
    assert found.data_dir != Path("/srv/mlxsite")  # the setting decides about that


def test_a_file_manage_py_of_another_package_makes_no_checkout(packages: Path) -> None:
    (packages / "manage.py").touch()
    assert not installation_at(packages, {}).is_checkout


def shown_texts(path: Path, text: str) -> Iterator[str]:
    """The strings of a module without its docstrings, or a template or script as a whole."""
    if path.suffix != ".py":
        yield text
        return
    tree = ast.parse(text)
    documented = [node.body[0] for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and node.body]
    docstrings = {id(first.value) for first in documented if isinstance(first, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_messages_name_the_command_of_this_installation() -> None:
    """`PROGRAM` stands for it; `manage.py` is not there where the site is installed as a program."""
    pages = [*(BASE_DIR / "templates").rglob("*.html"), *(BASE_DIR / "static").glob("[!v]*/*.js")]
    files = {path: path.read_text() for path in (*sources(), *pages)}
    assert len(files) > 400
    suspects = {path: text for path, text in files.items() if COMMAND.search(text)}
    wrong = [
        str(path.relative_to(BASE_DIR))
        for path, text in suspects.items()
        if any(map(COMMAND.search, shown_texts(path, text)))
    ]
    assert wrong == []
