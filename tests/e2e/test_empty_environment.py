"""The sdist, installed by pip with all that it depends on into an empty environment, and started; nightly.

tests/e2e/test_installed.py tries more of an installed program, with the packages that the tests have.
"""

import json
import os
import re
import signal
import subprocess
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.site import Site, wait_until_gone
from tests.nightly import IS_NIGHTLY
from tests.tiny import make_tiny_model
from tests.wheel import build_sdist

__test__ = IS_NIGHTLY
pytestmark = pytest.mark.e2e
_OWN = ("MLX_SERVER_", "XDG_", "PYTHON", "DJANGO_", "VIRTUAL_ENV")
_UNREACHABLE = re.compile(r"ConnectionError|ServiceError|Max retries exceeded|Temporary failure|timed out")


@dataclass
class Program:
    """`mlxsite` in an environment that pip has filled, and a home folder in which nothing is yet."""

    environment: Path
    home: Path

    @property
    def command(self) -> Path:
        return self.environment / "bin" / "mlxsite"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        quiet = {"MLX_SERVER_USE_HUB_CACHE": "false", "MLX_SERVER_CPU_CALIBRATION": "off"}
        return kept | quiet | {"HOME": str(self.home)}

    def run(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        command, env = [str(self.command), *arguments], self.env | settings
        return subprocess.run(
            command, cwd=self.home, env=env, capture_output=True, text=True, check=False, timeout=300
        )


class InstalledSite(Site):
    """`mlxsite serve`, with the data folder that it chooses."""

    def __init__(self, program: Program) -> None:
        self.program, self.folder = [str(program.command)], program.home
        super().__init__(program.home, "--no-starter", is_new=True)
        self._env = program.env | {"PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("elsewhere")
    made = Program(folder / "environment", folder / "home")
    made.home.mkdir()
    venv.create(made.environment, symlinks=True, with_pip=True)
    pip = [str(made.environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    env = made.env | {"HOME": os.environ.get("HOME", "/root")}  # where pip's own settings are
    subprocess.run([*pip, str(build_sdist(folder))], cwd=folder, env=env, check=True, timeout=1800)
    return made


@pytest.fixture(scope="module")
def site(program: Program) -> Iterator[InstalledSite]:
    done = program.run("shell", "-c", "from django.conf import settings; print(settings.CONFIG.models_path)")
    make_tiny_model(Path(done.stdout.splitlines()[-1]) / "tiny")
    with InstalledSite(program) as site:
        yield site.wait_ready(300)


def test_nothing_of_this_checkout_or_its_environment_is_used(program: Program) -> None:
    code = "import inference, django, mlx.core; print(inference.__file__, django.__file__, mlx.core.__file__)"
    python = program.environment / "bin" / "python"
    done = subprocess.run(
        [python, "-c", code], cwd=program.home, env=program.env, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(program.environment)) for path in done.stdout.split()), done.stdout


def test_it_serves_pages_and_answers_and_ends(site: InstalledSite) -> None:
    for path in ("/", "/admin/login/", "/static/playground/main.js"):
        assert httpx.get(f"{site.url}{path}", follow_redirects=True, timeout=60).status_code == 200, path
    assert httpx.get(f"{site.url}/ready", timeout=60).json()["status"] == "ready"
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    answer = httpx.post(f"{site.url}/v1/chat/completions", json=body, timeout=240)
    assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] > 0
    workers = [worker.pid for worker in site.workers]
    assert site.stop(signal.SIGTERM) == 0 and "Traceback" not in site.output
    assert workers and wait_until_gone(workers) == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "MLX_SERVER_ORIGINS": "https://llm.example",
            "MLX_SERVER_TRUSTED_PROXIES": "127.0.0.1",
            "MLX_SERVER_API_KEY": "k" * 32,
        },
    ],
    ids=["on this machine", "behind TLS"],
)
def test_djangos_checks_for_deployment_find_nothing(program: Program, settings: dict[str, str]) -> None:
    done = program.run("check", "--deploy", "--fail-level", "WARNING", **settings)
    assert done.returncode == 0 and "no issues" in done.stdout, done.stdout + done.stderr


def test_no_installed_package_has_a_known_vulnerability(program: Program, capsys: Any) -> None:
    """By pip-audit, where it reaches its data; elsewhere this says that it was not looked at."""
    packages = next((program.environment / "lib").glob("python*")) / "site-packages"
    command = ["pip-audit", "--path", str(packages), "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    found = json.loads(done.stdout)["dependencies"] if done.stdout.startswith("{") else []
    assert found or _UNREACHABLE.search(done.stderr), done.stderr[-2000:]
    # An index that has the packages alone knows none of them.
    known = [one for one in found if "vulns" in one]
    if len(known) < len(found) / 2 or not found:
        with capsys.disabled():
            print(f"\nNOT AUDITED: pip-audit reaches the data of {len(known)} of {len(found)} packages here")
    assert {one["name"]: [v["id"] for v in one["vulns"]] for one in known if one["vulns"]} == {}
