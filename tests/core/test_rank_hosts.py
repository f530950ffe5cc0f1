import json
from pathlib import Path
from typing import Any

import pytest

from inference.core.rank_hosts import read

HERE = {"ssh": "127.0.0.1", "ips": ["10.0.0.1"]}
THERE = {"ssh": "mac2.local", "ips": ["10.0.0.2"], "rdma": ["rdma_en2", None]}


def write(folder: Path, content: Any) -> Path:
    path = folder / "hosts.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("content", [[HERE, THERE], {"hosts": [HERE, THERE], "envs": ["A=1"], "backend": ""}])
def test_both_forms_of_mlx_launch_are_read(tmp_path: Path, content: Any) -> None:
    here, there = read(write(tmp_path, content)).hosts
    assert (here.is_local, here.ips) == (True, ("10.0.0.1",))
    assert (there.is_local, there.ssh, there.rdma) == (False, "mac2.local", ("rdma_en2", None))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("text", "is no hosts file"),
        ([HERE], "fewer than two"),
        ([THERE, HERE], "the first machine"),
        ([HERE, {"ssh": "-oProxyCommand=x", "ips": ["1.2.3.4"]}], "no name that ssh"),
        ([HERE, {"ssh": "a b", "ips": ["1.2.3.4"]}], "no name that ssh"),
        ([HERE, {"ssh": "mac2"}], "no `ips`"),
        ({"hosts": [HERE, THERE], "envs": ["x; rm"]}, "no NAME=value"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, content: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read(write(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.json cannot be read"):
        read(tmp_path / "gone.json")
