"""The application under other servers: they fail at their start with the name of the right server."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator

from inference.core.config import BASE_DIR
from mlxsite.asgi import application
from tests.nightly import of_each_kind

MESSAGE = "Only `python manage.py serve` can serve this site"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def started(data: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "mlxsite.settings"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


COMMANDS = {
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "mlxsite.asgi:application"),
    "runserver": ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}"),
}


@pytest.mark.parametrize("name", of_each_kind(COMMANDS, ["daphne"]))
def test_a_plain_daphne_does_not_start(tmp_path: Path, name: str) -> None:
    port = str(free_port())
    done = started(tmp_path, *(part.format(port=port) for part in COMMANDS[name]))
    assert done.returncode != 0 and MESSAGE in done.stdout + done.stderr


async def test_a_server_that_announces_its_start_is_started_quietly() -> None:
    server = ApplicationCommunicator(application, {"type": "lifespan", "asgi": {"version": "3.0"}})
    await server.send_input({"type": "lifespan.startup"})
    answer = await server.receive_output(5)
    assert answer["type"] == "lifespan.startup.failed" and answer["message"].startswith(MESSAGE)
