"""`python -m inference.worker.baseline`: mlx-lm's own BatchGenerator, as a baseline for `manage.py bench`.

With --streams it runs one round of its own prompts. Without, each line of standard input is a round: a list
of chat requests (messages, max_tokens), answered by one line of JSON. The model is loaded as a worker does.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inference.core import blas
from inference.core.requests import ChatRequest, Message
from inference.worker.product_check import multiplies


@dataclass(frozen=True)
class BaselineRun:
    """One sequence of a round."""

    prompt: list[int]
    tokens: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.baseline")
    parser.add_argument("--model", required=True, type=Path, help="the model's folder")
    parser.add_argument(
        "--streams", type=int, default=0, help="run one round with this number of sequences and exit"
    )
    parser.add_argument("--tokens", type=int, default=32, help="how many tokens each of these generates")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--blas", default="", help="the BLAS library to multiply with on a CPU")
    options = parser.parse_args()
    blas.preload_best(options.blas, multiplies)
    own = [_own_request(number, options.tokens) for number in range(options.streams)]
    baseline = Baseline(options.model, options.device)
    for requests in [own] if own else map(json.loads, sys.stdin):
        print(json.dumps(baseline.run(requests)), flush=True)


def _own_request(number: int, tokens: int) -> dict[str, Any]:
    content = f"{number:08d}: write a very long story about a traveller who has seen {number + 10} towns."
    return {"messages": [{"role": "user", "content": content}], "max_tokens": tokens}


class Baseline:
    """A loaded model and the one generator that steps it."""

    def __init__(self, folder: Path, device: Literal["auto", "cpu", "gpu"]) -> None:
        # Imported here: the BLAS must be loaded before mlx.
        import mlx.core as mx
        from mlx_lm.generate import BatchGenerator

        from inference.core.protocol import Load
        from inference.worker.model import loading

        self._loaded = loading.load(Load(model=folder.name, path=str(folder), device=device), lambda _: None)
        self._generator = BatchGenerator(
            self._loaded.model, stream=mx.new_thread_local_stream(mx.default_device())
        )
        self.run([_own_request(0, 4)])  # kernels are compiled at their first use

    def run(self, requests: Iterable[dict[str, Any]]) -> dict[str, float | int | None]:
        """Decode all requests together; returns tokens, and tokens per second with and without prefill."""
        runs = [self._tokenised(request) for request in requests]
        started = time.perf_counter()
        times = self._times(runs)
        return {
            "tokens": len(times),
            "request_rate": len(times) / (times[-1] - started),
            "decode_rate": (len(times) - 1) / (times[-1] - times[0]) if times[-1] > times[0] else 0.0,
        }

    def _times(self, runs: Sequence[BaselineRun]) -> list[float]:
        """perf_counter seconds of each token. No token ends a sequence, only its length does."""
        self._generator.insert([one.prompt for one in runs], max_tokens=[one.tokens for one in runs])
        times: list[float] = []
        left = len(runs)
        while left:
            _, tokens = self._generator.next()
            now = time.perf_counter()
            times += [now] * len(tokens)
            left -= sum(token.finish_reason is not None for token in tokens)
        return times

    def _tokenised(self, request: dict[str, Any]) -> BaselineRun:
        messages = [Message(**message) for message in request["messages"]]
        chat = ChatRequest(model="", messages=tuple(messages))
        return BaselineRun(self._loaded.adapter.render(chat), request["max_tokens"])


if __name__ == "__main__":
    main()
