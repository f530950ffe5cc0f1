"""The files of docs/deploy/ that start the site: what can be told about them without their programs."""

import json
import plistlib
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from inference.core.config import BASE_DIR, Config

DEPLOY = BASE_DIR / "docs" / "deploy"
UNIT, AGENT, FORMULA = DEPLOY / "mlxsite.service", DEPLOY / "mlxsite.plist", DEPLOY / "mlxsite.rb"
IMAGE = DEPLOY / "Dockerfile"
DRAIN_S: float = Config.model_fields["drain_s"].default


@pytest.fixture
def agent() -> dict[str, Any]:
    found: dict[str, Any] = plistlib.loads(AGENT.read_bytes())
    return found


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT)
    return parser


@pytest.mark.parametrize("path", [UNIT, AGENT, FORMULA, IMAGE], ids=lambda path: path.name)
def test_each_names_the_page_that_describes_it(path: Path) -> None:
    assert "docs/install.md" in path.read_text()
    assert f"(deploy/{path.name})" in (BASE_DIR / "docs" / "install.md").read_text()


@pytest.mark.parametrize("path", [UNIT, AGENT, FORMULA, IMAGE], ids=lambda path: path.name)
def test_settings_that_they_name_exist(path: Path) -> None:
    named = re.findall(r"MLX_SERVER_(\w+)", path.read_text())
    assert {name.lower() for name in named} <= set(Config.model_fields)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        return  # a Mac has none
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/mlxsite/bin/mlxsite", shutil.which("true") or ""))
    done = subprocess.run([program, "verify", copy], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


def test_a_stop_leaves_time_to_finish_answers(agent: dict[str, Any]) -> None:
    service = unit()["Service"]
    assert float(service["TimeoutStopSec"]) > DRAIN_S
    assert agent["ExitTimeOut"] > DRAIN_S
    (timeout,) = re.findall(r"--stop-timeout (\d+)", (BASE_DIR / "docs" / "install.md").read_text())
    assert float(timeout) > DRAIN_S
    assert service["KillMode"] == "mixed"  # or the workers would end at once, and their answers with them


def test_the_agents_shell_is_replaced_by_the_site(agent: dict[str, Any], tmp_path: Path) -> None:
    """SIGTERM must reach the site, and what it prints its log."""
    program = tmp_path / ".local" / "bin" / "mlxsite"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$$ $1"\n')
    program.chmod(0o755)
    (tmp_path / "Library" / "Logs").mkdir(parents=True)
    with subprocess.Popen(agent["ProgramArguments"], env={"HOME": str(tmp_path)}) as process:
        assert process.wait(10) == 0
    assert (tmp_path / "Library" / "Logs" / "mlxsite.log").read_text() == f"{process.pid} serve\n"


def test_the_image_is_made_of_what_the_wheel_needs() -> None:
    needed = set(re.findall(r'"(\w+)"', re.findall(r"only-include = (.*)", pyproject())[0]))
    kept = set(re.findall(r"^!(\S+)", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert kept == needed | {"pyproject.toml", "README.md", "LICENSE"}


def test_the_site_in_the_image_is_no_root() -> None:
    last = IMAGE.read_text().rpartition("FROM ")[2]
    assert last.index("USER mlxsite") < last.index("ENTRYPOINT")


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
def test_the_image_is_healthy_while_the_site_is_ready(status: int, exit_status: int) -> None:
    (command,) = re.findall(r"HEALTHCHECK [^\[]*(\[.*\])$", IMAGE.read_text(), re.MULTILINE)

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.handle_request, daemon=True).start()
        _, *arguments = json.loads(command)
        env = {"MLX_SERVER_PORT": str(server.server_port)}
        done = subprocess.run([sys.executable, *arguments], env=env, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == exit_status


def pyproject() -> str:
    return (BASE_DIR / "pyproject.toml").read_text()
