"""The wheel has all that runs, and its command `mlxsite` works in an environment without this checkout."""

import json
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from inference import __version__
from inference.core.config import BASE_DIR
from tests.nightly import nightly
from tests.wheel import InstalledProgram, build_sdist, build_wheel

PAGES = """
import json
from django.conf import settings
from django.core.management import call_command
from django.test import Client

call_command("migrate", verbosity=0)
client = Client(headers={"host": "127.0.0.1"})
paths = ("/", "/login/", "/admin/login/", "/static/css/base.css", "/static/vendor/marked/marked.js",
    "/static/admin/css/base.css", "/nowhere")
call_command("models")
print(json.dumps([client.get(path).status_code for path in paths] + [str(settings.CONFIG.data_dir)]))
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sdist(tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledProgram:
    return InstalledProgram(wheel, tmp_path_factory.mktemp("elsewhere"))


def files_of(folder: str) -> set[str]:
    """The paths of all files below a folder of this checkout."""
    paths = (BASE_DIR / folder).rglob("*")
    return {
        str(path.relative_to(BASE_DIR))
        for path in paths
        if path.is_file() and path.suffix != ".pyc" and path.name != ".DS_Store"
    }


def test_the_wheel_has_each_file_that_the_site_runs_with(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = files_of("mlxsite") | files_of("inference") | files_of("playground")
    data = files_of("templates") | files_of("static") | files_of("docs/deploy") | {"docs/configuration.md"}
    assert len(data) > 200
    assert (code | {f"mlxsite/{name}" for name in data}) - names == set()
    others = {name for name in names if not name.startswith(("mlxsite/", "inference/", "playground/"))}
    assert {name.partition("/")[0] for name in others} == {f"mlxsite-{__version__}.dist-info"}
    licences = {name.partition(".dist-info/licenses/")[2] for name in others} - {""}
    assert licences == {"LICENSE", *(name for name in files_of("static/vendor") if name.endswith("LICENSE"))}


def test_the_sdist_has_the_tests_and_nothing_that_was_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"manage.py", "pyproject.toml", "requirements.lock", "tests/conftest.py", "docs/tls.md"} <= names
    assert not any("node_modules" in name or "__pycache__" in name for name in names)


@nightly
def test_the_command_serves_its_pages_and_files_with_the_users_data_folder(program: InstalledProgram) -> None:
    assert program.run("--version").stdout == f"mlxsite {__version__}\n"
    (program.home / ".env").write_text("MLX_SERVER_PORT=lots\n")  # of another program
    done = program.run("shell", "-c", PAGES)
    assert done.returncode == 0, done.stderr
    *statuses, data_dir = json.loads(done.stdout.splitlines()[-1])
    assert statuses == [200, 200, 200, 200, 200, 200, 404]
    assert "`mlxsite pull OWNER/NAME`" in done.stdout
    assert Path(data_dir).is_relative_to(program.home) and Path(data_dir).name == "mlxsite"
    assert stat.S_IMODE(Path(data_dir).stat().st_mode) == 0o700

    (Path(data_dir) / ".env").write_text("MLX_SERVER_PORT=lots\n")
    done = program.run("check")
    assert done.returncode == 1 and "MLX_SERVER_PORT" in done.stderr
    assert "mlxsite help <subcommand>" in program.run(MLX_SERVER_PORT="8123").stdout
    page = done.stderr.partition(" lists every setting")[0].rpartition(". ")[2]
    assert Path(page).is_relative_to(program.packages) and Path(page).is_file()
