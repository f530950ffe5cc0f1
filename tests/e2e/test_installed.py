"""The site as a program that was installed from the wheel; for the nightly run."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import Site, wait_until_gone
from tests.gguf_files import tiny_weights, write_gguf
from tests.nightly import IS_NIGHTLY
from tests.playground.file_text.files import pdf
from tests.tiny import make_tiny_model
from tests.wheel import InstalledProgram, build_sdist, build_wheel

__test__ = IS_NIGHTLY  # the gate has tests/mlxsite/test_wheel.py
pytestmark = pytest.mark.e2e


class InstalledSite(Site):
    """`mlxsite serve`, with the data folder that it chooses."""

    def __init__(self, program: InstalledProgram) -> None:
        self.program, self.folder = [str(program.command)], program.home
        super().__init__(program.home, "--no-starter")
        self._env = program.env | {"PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> InstalledProgram:
    folder = tmp_path_factory.mktemp("elsewhere")
    return InstalledProgram(build_wheel(build_sdist(folder), folder), folder)


@pytest.fixture(scope="module")
def installed(program: InstalledProgram) -> Iterator[InstalledSite]:
    done = program.run("shell", "-c", "from django.conf import settings; print(settings.CONFIG.models_path)")
    make_tiny_model(Path(done.stdout.splitlines()[-1]) / "tiny")
    with InstalledSite(program) as site:
        yield site


def test_pages_files_and_answers_come_from_the_installed_packages(
    program: InstalledProgram, installed: InstalledSite
) -> None:
    url = installed.wait_ready(120).url
    for path in ("/", "/admin/login/", "/static/playground/main.js", "/static/admin/css/base.css", "/ready"):
        assert httpx.get(f"{url}{path}", follow_redirects=True, timeout=60).status_code == 200
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=120)
    assert answer.json()["usage"]["completion_tokens"] > 0
    assert {worker.environ().get("PYTHONPATH") for worker in installed.workers} == {None}
    assert "mlxsite changepassword admin" in installed.output


def test_its_commands_find_the_running_site(program: InstalledProgram, installed: InstalledSite) -> None:
    installed.wait_ready(120)
    assert re.search(r"tiny\s+chat\s+llama", program.run("models").stdout)
    assert "tiny" in program.run("pool").stdout
    assert program.run("unload", "tiny").returncode == 0
    assert program.run("doctor", "--no-model").returncode == 0
    assert "usage: mlxsite serve" in program.run("serve", "--help").stdout


def test_a_gguf_file_is_converted(program: InstalledProgram, tmp_path: Path) -> None:
    write_gguf(tmp_path / "small.gguf", tiny_weights(tmp_path / "tiny"), kind="Q8_0")
    done = program.run("import_gguf", str(tmp_path / "small.gguf"))
    assert done.returncode == 0, done.stderr


def test_a_pdf_file_is_read(program: InstalledProgram, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(pdf("A page"))
    code = "from playground.file_text.reading import text_of; print(text_of(open('{}', 'rb').read()))"
    assert program.run("shell", "-c", code.format(tmp_path / "page.pdf")).stdout.endswith("A page\n")


def test_it_ends_with_its_workers(installed: InstalledSite) -> None:
    workers = [worker.pid for worker in installed.wait_ready(120).workers]
    assert installed.stop(signal.SIGTERM) == 0
    assert workers and wait_until_gone(workers) == []
