"""Two ranks on two hosts, which are network namespaces of this machine: the second is started by an ssh."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec import structs

from inference.core.errors import WorkerDied
from inference.core.rank_hosts import RankHost, RankHosts
from inference.pool import ProcessRunner
from inference.pool.ranks.placement import RankSetup
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.ranks.groups import start, text
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import make_tiny_model

SETUP = RankSetup(
    hosts=RankHosts(
        hosts=(RankHost(ssh="127.0.0.1", ips=("10.77.13.1",)), RankHost(ssh="second", ips=("10.77.13.2",)))
    )
)
# What ssh would do: the last argument is for a shell on the other host.
SSH = '#!/bin/sh\nfor script; do :; done\nexec ip netns exec mlx-ranks sh -c "$script"\n'
NEEDS_NAMESPACES = pytest.mark.skipif(
    shutil.which("ip") is None or os.getuid() != 0, reason="TWO HOSTS NOT TRIED: no network namespaces here"
)
pytestmark = pytest.mark.mlx


@pytest.fixture
def second_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A namespace with an address of its own, and an `ssh` that runs commands in it."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    ip("netns", "add", "mlx-ranks")
    try:
        ip("link", "add", "mlxranks0", "type", "veth", "peer", "name", "mlxranks1", "netns", "mlx-ranks")
        ip("addr", "add", "10.77.13.1/24", "dev", "mlxranks0")
        ip("link", "set", "mlxranks0", "up")
        ip("-n", "mlx-ranks", "addr", "add", "10.77.13.2/24", "dev", "mlxranks1")
        ip("-n", "mlx-ranks", "link", "set", "mlxranks1", "up")
        yield
    finally:
        ip("netns", "delete", "mlx-ranks")  # with its ends of the cable


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@nightly
@NEEDS_NAMESPACES
async def test_two_hosts_answer_as_one_and_the_end_of_one_is_the_end_of_both(
    second_host: None, tmp_path: Path
) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    alone = ProcessRunner(OPTIONS)
    await alone.load(card(path=str(folder)), lambda progress: None)
    expected = text(await ask(alone, chat()))
    await alone.stop()
    runner, loaded = await start(folder, SETUP)
    assert text(await ask(runner, chat())) == expected
    here, there = runner.ranks
    assert (here.host, there.host) == ("", "second") and there.memory.active > 0
    # Only what this host holds counts in its limit.
    assert runner.memory == here.memory
    remote = psutil.Process(there.pid)
    psutil.Process(here.pid).kill()
    with pytest.raises(WorkerDied, match="its rank 0 was killed by signal 9"):
        await ask(runner, structs.replace(chat(), max_tokens=2000))
    await runner.stop()
    psutil.wait_procs([remote], timeout=5)
    assert not remote.is_running()
