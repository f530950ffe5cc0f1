"""The self-test of models that are not in memory: another process reads their files as they are now."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec

from inference.core.model_card import Finding, ModelCard
from inference.core.protocol import Examined, Load
from inference.core.subprocess_environment import of_workers

_START_S = 60.0  # for a cold disk and the imports
_EACH_S = 30.0


def examine(cards: Sequence[ModelCard]) -> Mapping[str, tuple[Finding, ...]]:
    """The findings of each model by id; blocks for seconds. A model whose test did not end is missing."""
    loads = [Load(model=card.id, path=card.path, adapter=card.adapter) for card in cards]
    try:
        output = subprocess.run(
            [sys.executable, "-m", "inference.worker.self_test"],
            input=msgspec.json.encode(loads),
            stdout=subprocess.PIPE,
            env=of_workers(),
            timeout=_START_S + _EACH_S * len(cards),
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    lines = [
        msgspec.json.decode(line, type=Examined) for line in output.splitlines() if line.startswith(b"{")
    ]
    return {line.model: line.findings for line in lines}
