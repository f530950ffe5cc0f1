from pathlib import Path

import pytest
from pydantic import ValidationError

from inference.core.config import Config
from tests.core.test_rank_hosts import HERE, THERE, write


def test_without_a_hosts_file_all_ranks_run_here() -> None:
    assert Config(hosts_file=None).rank_hosts is None
    assert Config(hosts_file="").rank_hosts is None


def test_a_hosts_file_is_read(tmp_path: Path) -> None:
    hosts = Config(hosts_file=write(tmp_path, [HERE, THERE])).rank_hosts
    assert hosts and [host.ssh for host in hosts.hosts] == ["127.0.0.1", "mac2.local"]


def test_one_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="fewer than two machines"):
        Config(hosts_file=write(tmp_path, [HERE]))
