"""What is said of a Redis that cannot be used, and what never is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from inference.fronts import connection
from tests.redis_server import PASSWORD, needs_redis, redis_server

pytestmark = needs_redis


def test_a_problem_is_one_phrase_without_address_and_password(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        assert connection.problem(server.url) == ""
        assert connection.fronts(server.url) == 0
        wrong = server.url.replace(PASSWORD, "wrong-password")
        assert connection.problem(wrong) == "it refuses the user or the password"
        assert connection.problem(f"{server.url}?such=option") == "an option in its address is wrong"
    assert connection.problem(server.url) == "it cannot be connected to"


def test_sites_with_different_secret_keys_share_no_names() -> None:
    assert connection.key_prefix("a" * 40) != connection.key_prefix("b" * 40)
    assert connection.key_prefix() == connection.key_prefix()


def test_serve_does_not_start_without_the_redis_that_is_set(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        url, shown = server.url, server.shown
    environment = os.environ | {"MLX_SERVER_REDIS_URL": url, "MLX_SERVER_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "manage.py", "serve", "--no-starter", "--port", "0"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode not in (0, -signal.SIGKILL)
    (line,) = ended.stderr.strip().splitlines()
    assert f"MLX_SERVER_REDIS_URL: the Redis at {shown} cannot be used: it cannot be connected to" in line
    assert "unset it" in line and PASSWORD not in ended.stderr + ended.stdout
