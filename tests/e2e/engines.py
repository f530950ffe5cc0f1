"""Real servers that answer for a site's models, and the command that tells a site of them."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.site import ROOT, Site
from tests.tiny import make_tiny_model, never_ends

WAIT_S = 420


@contextmanager
def mlx_lm_server(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The base URL of a real mlx_lm.server with a tiny model, and its process."""
    never_ends(make_tiny_model(folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlx_lm.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--model", str(folder)], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        assert eventually(lambda: answers(f"{url}/health"))
        yield f"{url}/v1", process
    finally:
        process.kill()
        process.wait()


def manage(site: Site, *arguments: str, is_refused: bool = False) -> str:
    """What `manage.py upstream` says."""
    command = [sys.executable, "manage.py", "upstream", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=site._env, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == is_refused, done.stderr
    return done.stderr if is_refused else done.stdout


def eventually(holds: Callable[[], bool], within_s: float = WAIT_S) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def models_of(site: Site) -> set[str]:
    return {model["id"] for model in httpx.get(f"{site.url}/v1/models", timeout=WAIT_S).json()["data"]}
