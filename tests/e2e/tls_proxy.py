"""nginx and Caddy as docs/deploy has them, with another port and a certificate of their own."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.site import ROOT

DEPLOY = ROOT / "docs/deploy"
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
CADDY = "{{\n admin off\n auto_https disable_redirects\n storage file_system {folder}/caddy\n}}\n"
_START_S = 30.0


@contextmanager
def proxy(name: str, folder: Path, site: str, port: int) -> Iterator[None]:
    """Run nginx or Caddy at https://localhost:`port` before the site at this address."""
    file = {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]
    text = (DEPLOY / file).read_text().replace("127.0.0.1:8000", _address(site))
    with _running(_COMMANDS[name](folder, text, port), port):
        yield


@contextmanager
def proxy_of_fronts(name: str, folder: Path, sites: Sequence[str], port: int) -> Iterator[None]:
    """Run nginx or Caddy at https://localhost:`port` before the two fronts at these addresses."""
    text = (DEPLOY / {"nginx": "nginx.fronts.conf", "caddy": "Caddyfile.fronts"}[name]).read_text()
    for ours, theirs in zip(("127.0.0.1:8001", "127.0.0.1:8002"), sites, strict=True):
        text = text.replace(ours, _address(theirs))
    with _running(_COMMANDS[name](folder, text, port), port):
        yield


def _address(site: str) -> str:
    return site.removeprefix("http://")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_answers(f"https://localhost:{port}/health")
            yield
        finally:
            process.terminate()
            process.wait(20)


def _nginx(folder: Path, text: str, port: int) -> list[str]:
    certificate, key = _certificate(folder)
    text = text.replace("listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2")
    text = text.replace("/etc/ssl/llm.example.crt", str(certificate))
    text = text.replace("/etc/ssl/llm.example.key", str(key)).replace("llm.example", "localhost")
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def _caddy(folder: Path, text: str, port: int) -> list[str]:
    certificate, key = _certificate(folder)
    text = text.replace("llm.example {", f"https://localhost:{port} {{\n    tls {certificate} {key}")
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder) + text)
    return [shutil.which("caddy") or "caddy", "run", "--config", str(folder / "Caddyfile")]


_COMMANDS = {"nginx": _nginx, "caddy": _caddy}


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "site.crt", folder / "site.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, verify=False, timeout=5).status_code == 200:  # noqa: S501 - our own certificate
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
