"""mlx-lm's BatchGenerator in a process without a server: the upper limit for a server that uses it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from inference.management.bench.line_process import LineProcess


class RawRound(Struct, frozen=True, kw_only=True):
    """One round as inference/worker/baseline.py reports it, with the fields of client.Round."""

    tokens: int
    request_rate: float
    decode_rate: float


class Raw(LineProcess):
    """The process with its model loaded."""

    name = "BatchGenerator"
    module = "inference.worker.baseline"

    def ask(self, requests: Sequence[Mapping[str, Any]]) -> RawRound:
        """Run one round with the requests that a server would receive; raises RawEnded."""
        return msgspec.json.decode(self.answer(json.dumps(list(requests))), type=RawRound)
