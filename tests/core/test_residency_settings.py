"""The settings about which models stay in memory."""

import pytest
from pydantic import ValidationError

from inference.core.config import Config


def test_a_time_or_for_ever() -> None:
    assert [Config(idle_ttl_s=value).idle_ttl_s for value in (-1, 0, 60)] == [-1, 0, 60]
    with pytest.raises(ValidationError, match="-1 to keep models without a time limit"):
        Config(idle_ttl_s=-0.5)


def test_a_spare_worker_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config().spare_worker
    monkeypatch.setenv("MLX_SERVER_SPARE_WORKER", "false")
    assert not Config().spare_worker
