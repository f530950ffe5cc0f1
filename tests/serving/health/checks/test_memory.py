"""What is said of the memory."""

from typing import Any

from inference.core.config import Config
from inference.serving.health.checks import memory


def test_a_limit_beyond_the_memory_is_wrong(settings: Any) -> None:
    assert next(memory.check()).state == "good"
    settings.CONFIG = Config(memory_limit="900000GB")
    (result,) = memory.check()
    assert result.state == "wrong" and "MLX_SERVER_MEMORY_LIMIT" in result.advice
