"""The self-test of models that need not be in memory: another process tries their files as they are now."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec

from inference.core.model_card import Finding, ModelCard
from inference.core.protocol import Examined, Load
from inference.pool.workers.worker_process import environment

_START_S = 60.0  # for a cold disk and the imports
_EACH_S = 30.0


def examine(cards: Sequence[ModelCard]) -> Mapping[str, tuple[Finding, ...]]:
    """What is found of each model by id; it blocks for seconds. One is missing whose test did not end."""
    asked = [Load(model=card.id, path=card.path, adapter=card.adapter) for card in cards]
    try:
        said = subprocess.run(
            [sys.executable, "-m", "inference.worker.self_test"],
            input=msgspec.json.encode(asked),
            stdout=subprocess.PIPE,
            env=environment(),
            timeout=_START_S + _EACH_S * len(cards),
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
    lines = [msgspec.json.decode(line, type=Examined) for line in said.splitlines() if line.startswith(b"{")]
    return {line.model: line.findings for line in lines}
