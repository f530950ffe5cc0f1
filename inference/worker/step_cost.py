"""`python -m inference.worker.step_cost`: what a step costs besides the model, for `manage.py bench`.

A real engine, sampler and text thread run with a model that computes nothing. Each line of standard input is
a round (StepRound as JSON), answered by one line (StepCost). The figures are in milliseconds:

- `engine` is CPU time of the engine's thread in one step: Python, and MLX's building and starting of graphs.
  MLX's own threads compute the sampling kernels on a CPU; their time is not part of it.
- `text` is CPU time of the thread that turns the tokens of a step into text and frames. It shares the
  interpreter's lock with the engine. It is 0 if no token has a text.
- `step` is the whole time of one step. It has also the waits for the lock, for MLX's threads, and for other
  processes of the machine. With a small vocabulary the kernels take next to nothing of it.
"""

import argparse
import statistics
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct, structs

from inference.core import blas, protocol
from inference.core.events import Finished
from inference.core.protocol import Load, Step, Submit, Up
from inference.core.requests import CompletionRequest, Sampling

if TYPE_CHECKING:
    from inference.worker.engine.sequence import Output
    from inference.worker.model.loaded_model import LoadedModel
    from inference.worker.open_requests import OpenRequests

_CONTEXT_TOKENS = 32_768
_WARM_UP = 30  # steps with all rows that are not measured
_LIMIT_S = 300.0


class StepRound(Struct, frozen=True, kw_only=True):
    """What is measured in one round."""

    rows: int
    steps: int = 300
    vocabulary: int = 512  # logits
    kind: Literal["greedy", "mixed"] = "mixed"


class StepCost(Struct, frozen=True, kw_only=True):
    """Medians over the steps of a round, in milliseconds."""

    engine: float
    text: float
    step: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.step_cost")
    parser.add_argument("--model", required=True, type=Path, help="a folder whose tokenizer is used")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--blas", default="")
    options = parser.parse_args()
    blas.preload(blas.best_blas(options.blas))
    for line in sys.stdin:
        wanted = msgspec.json.decode(line, type=StepRound)
        cost = measure(options.model, wanted, options.device)
        print(msgspec.json.encode(cost).decode(), flush=True)


def requests(wanted: StepRound) -> list[CompletionRequest]:
    """One request for each row: all greedy, or eight kinds of sampling, penalties and log probabilities."""
    kinds: list[tuple[Sampling, int | None]] = [
        (Sampling(temperature=0.0), None),
        (Sampling(temperature=0.8, seed=7), None),
        (Sampling(temperature=0.7, top_p=0.9), None),
        (Sampling(temperature=0.6, top_k=40), 0),
        (Sampling(temperature=1.0, min_p=0.05), None),
        (Sampling(temperature=0.8, frequency_penalty=0.3, presence_penalty=0.2), None),
        (Sampling(temperature=0.0, repetition_penalty=1.1), None),
        (Sampling(temperature=0.7, top_p=0.95, top_k=20, logit_bias=((5, -4.0), (9, 2.0))), 5),
    ]
    made = []
    for row in range(wanted.rows):
        sampling, logprobs = kinds[0] if wanted.kind == "greedy" else kinds[row % len(kinds)]
        if sampling.seed is not None:
            sampling = structs.replace(sampling, seed=sampling.seed + row)
        made.append(
            CompletionRequest(
                model="free",
                prompts=(tuple(range(row + 1, row + 17)),),
                sampling=sampling,
                max_tokens=_CONTEXT_TOKENS // 2,  # none ends before all are measured together
                logprobs=logprobs,
                ignores_end=True,
            )
        )
    return made


def measure(folder: Path, wanted: StepRound, device: Literal["auto", "cpu", "gpu"] = "auto") -> StepCost:
    """Run one round on a new engine; raises TimeoutError or RuntimeError."""
    from inference.worker.engine.callbacks import EngineCallbacks
    from inference.worker.engine.commands import Quit
    from inference.worker.engine.engine import Engine
    from inference.worker.open_requests import OpenRequests

    clock = _Clock(wanted)
    loaded_models: list[LoadedModel] = []
    is_loaded = threading.Event()

    def on_loaded(loaded: "LoadedModel") -> None:
        loaded_models.append(loaded)
        is_loaded.set()

    def send(frame: Up) -> None:
        protocol.encode(frame)
        clock.on_frame(frame)

    def on_outputs(outputs: "list[Output]") -> None:
        clock.on_outputs(outputs)
        open_requests.deliver(outputs)

    engine = Engine(
        EngineCallbacks(
            on_imported=lambda: None,
            on_loading=lambda percent: None,
            on_loaded=on_loaded,
            on_load_failed=lambda error: is_loaded.set(),
            on_outputs=on_outputs,
            on_lost=lambda ids: clock.fail(),
            on_memory=lambda: None,
        ),
        lambda options, _: _loaded(folder, wanted, device),
    )
    load = Load(model="free", path=str(folder), max_batch=max(32, wanted.rows), device=device)
    engine.start()
    engine.post(load)
    is_loaded.wait(_LIMIT_S)
    if not loaded_models:
        raise RuntimeError("the tokenizer could not be loaded")
    open_requests = OpenRequests(loaded_models[0], load, engine.post, send)
    _answer(requests(wanted), open_requests, clock)
    engine.post(Quit())
    engine.join()
    return clock.cost()


def _answer(requests: list[CompletionRequest], open_requests: "OpenRequests", clock: "_Clock") -> None:
    """Have the engine and the text thread take all steps of a round."""
    for number, request in enumerate(requests):
        open_requests.prepare(Submit(id=number, request=request))
    clock.is_computed.wait(_LIMIT_S)
    for number in range(len(requests)):  # the text thread may be steps behind the engine
        open_requests.cut_short(number)
    clock.is_delivered.wait(_LIMIT_S)


class _Clock:
    """Reads both threads' clocks at each step."""

    def __init__(self, wanted: StepRound) -> None:
        self.is_computed = threading.Event()  # all steps are computed
        self.is_delivered = threading.Event()  # all of them are frames
        self.has_failed = False
        self._wanted = wanted
        self._open = wanted.rows
        self._steps: list[tuple[float, float]] = []  # seconds: wall, CPU of the engine
        self._texts: list[float] = []  # seconds of CPU of the text thread
        self._warm_up = _WARM_UP

    def on_outputs(self, outputs: "list[Output]") -> None:
        """After each step, on the engine's thread."""
        if len(outputs) < self._wanted.rows or self.is_computed.is_set():
            return
        if self._warm_up:
            self._warm_up -= 1
            return
        self._steps.append((time.perf_counter(), time.thread_time()))
        if len(self._steps) > self._wanted.steps:
            self.is_computed.set()

    def on_frame(self, frame: Up) -> None:
        """After each frame, on the text thread."""
        self._texts.append(time.thread_time())
        happened = frame.happened if isinstance(frame, Step) else ()
        self._open -= sum(isinstance(one.what, Finished) for one in happened)
        if not self._open:
            self.is_delivered.set()

    def fail(self) -> None:
        self.has_failed = True
        self.is_computed.set()
        self.is_delivered.set()

    def cost(self) -> StepCost:
        """Raises RuntimeError for a round that has failed or has taken too long."""
        if self.has_failed or not (self.is_computed.is_set() and self.is_delivered.is_set()):
            raise RuntimeError(f"{self._wanted.rows} rows were not computed")
        steps = list(pairwise(self._steps))
        return StepCost(
            engine=_median_ms([after[1] - before[1] for before, after in steps]),
            text=_median_ms([after - before for before, after in pairwise(self._texts)]),
            step=_median_ms([after[0] - before[0] for before, after in steps]),
        )


def _median_ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 4) if seconds else 0.0


def _loaded(folder: Path, wanted: StepRound, device: str) -> "LoadedModel":
    """A model that computes nothing, with the tokenizer and adapter of the folder."""
    import mlx.core as mx

    from inference.adapters import adapter_for
    from inference.worker.free_model import FreeModel
    from inference.worker.model.loaded_model import LoadedModel
    from inference.worker.model.model_files import read_facts, read_tokenizer

    if device == "cpu":
        mx.set_default_device(mx.cpu)
    is_cpu = mx.default_device().type == mx.DeviceType.cpu
    if is_cpu:
        mx.disable_compile()
    tokenizer = read_tokenizer(folder)
    return LoadedModel(
        model=FreeModel(max(32, wanted.rows), wanted.vocabulary),
        tokenizer=tokenizer,
        adapter=adapter_for(read_facts(folder), tokenizer, ""),
        own_sampling=Sampling(),
        context_length=_CONTEXT_TOKENS,
        vocab_size=wanted.vocabulary,
        device="cpu" if is_cpu else "gpu",
        seconds=0.0,
    )


if __name__ == "__main__":
    main()
