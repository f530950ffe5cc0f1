"""How a rank is started: its environment here, and the script that a shell on another machine runs."""

import subprocess
from pathlib import Path

from inference.core.rank_hosts import RankHost
from inference.pool.ranks.follower import remote_script, written
from inference.pool.ranks.placement import Placement

PLACEMENT = Placement(
    rank=1,
    host=RankHost(ssh="mac2", ips=("10.0.0.2",)),
    variables={"MLX_RANK": "1", "NOTE": "it's $HOME"},
    files={"MLX_HOSTFILE": '[["10.0.0.1:5000"]]'},
)


def test_files_of_a_rank_here_are_named_in_its_environment(tmp_path: Path) -> None:
    environment = written(PLACEMENT, tmp_path)
    assert Path(environment["MLX_HOSTFILE"]).read_text() == '[["10.0.0.1:5000"]]'
    assert environment["MLX_RANK"] == "1"


def test_a_shell_elsewhere_sets_the_variables_and_removes_the_file_at_the_end(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$MLX_RANK|$NOTE|$MLX_HOSTFILE|$(cat "$MLX_HOSTFILE")|$*"\nexit 3\n')
    program.chmod(0o755)
    script = remote_script(PLACEMENT, python=str(program))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    rank, note, file, content, arguments = done.stdout.strip().split("|")
    assert (rank, note, content) == ("1", "it's $HOME", '[["10.0.0.1:5000"]]')
    assert arguments == "-m inference.worker.lockstep"
    assert done.returncode == 3 and not Path(file).exists()
