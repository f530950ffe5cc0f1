"""A real Prometheus with the configuration of docs/deploy."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.site import ROOT
from tests.playground.site import free_port

DEPLOY = ROOT / "docs" / "deploy"
IS_HERE = shutil.which("prometheus") is not None


class Prometheus:
    """Its queries, by HTTP."""

    def __init__(self, port: int) -> None:
        self._web = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def is_ready(self) -> bool:
        try:
            return self._web.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression: str) -> list[Any]:
        """The series that an expression has now; an expression that cannot be parsed fails."""
        answer = self._web.post("/api/v1/query", data={"query": expression}).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[Any] = answer["data"]["result"]
        return found

    def alerts(self) -> list[str]:
        """The expressions of the alerts in its configuration."""
        groups = self._web.get("/api/v1/rules").json()["data"]["groups"]
        return [rule["query"] for group in groups for rule in group["rules"]]


@contextmanager
def prometheus(folder: Path, target: str, key: str) -> Iterator[Prometheus]:
    """Run it in `folder`: it reads the metrics of `target` four times a second."""
    config = (DEPLOY / "prometheus.yml").read_text()
    for there, here in (("127.0.0.1:8000", target), ("scrape_interval: 15s", "scrape_interval: 250ms")):
        config = config.replace(there, here)
    (folder / "prometheus.yml").write_text(config)
    (folder / "mlxsite.key").write_text(key)
    shutil.copy(DEPLOY / "alerts.yml", folder)
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"GOMAXPROCS": "1"})
        try:
            server = Prometheus(port)
            deadline = time.monotonic() + 60
            while not server.is_ready():
                assert process.poll() is None and time.monotonic() < deadline, log.name
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def board_queries() -> dict[str, str]:
    """Each query of the dashboard, by its panel and legend, as Grafana sends it."""
    board = json.loads((DEPLOY / "grafana.json").read_text())
    return {
        f"{panel['title']}: {target['legendFormat']}": target["expr"]
        .replace("$__rate_interval", "60s")
        .replace("$model", ".*")
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
