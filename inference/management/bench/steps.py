"""What a decode step costs besides the model: Python, graphs and text, with a model that computes nothing."""

import json
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.line_process import LineProcess

_ROWS, _QUICK_ROWS = (1, 8, 32), (1, 8)
_STEPS, _QUICK_STEPS = {"small": 300, "whole": 40}, {"small": 40, "whole": 10}
_SMALL = 512  # logits: the sampling kernels take next to no time
_AIMS = {8: Aim(sign="<=", value=0.4, of="ours"), 32: Aim(sign="<=", value=1.2, of="ours")}
_UNIT = "ms"


class StepRound(Struct, frozen=True, kw_only=True):
    """What inference/worker/step_cost.py is asked."""

    rows: int
    steps: int
    vocabulary: int
    kind: Literal["greedy", "mixed"] = "mixed"


class StepCost(Struct, frozen=True, kw_only=True):
    """What it answers, in milliseconds of one step."""

    engine: float
    text: float
    step: float


class Steps(LineProcess):
    """The process with the model's tokenizer."""

    name = "steps"
    module = "inference.worker.step_cost"

    def ask(self, wanted: StepRound) -> StepCost:
        """Run one round; raises RawEnded."""
        return msgspec.json.decode(self.answer(msgspec.json.encode(wanted).decode()), type=StepCost)


def measure(bench: Bench) -> list[Figure]:
    counts = _QUICK_ROWS if bench.is_quick else _ROWS
    steps = _QUICK_STEPS if bench.is_quick else _STEPS
    whole = vocabulary_size(bench.models.given)
    rounds = [
        StepRound(rows=rows, steps=steps[size], vocabulary=vocabulary)
        for rows in counts
        for size, vocabulary in (("small", min(_SMALL, whole)), ("whole", whole))
    ]
    costs: dict[StepRound, list[StepCost]] = {one: [] for one in rounds}
    with Steps(bench.models.given, bench.blas) as process:
        for _ in bench.repetitions("steps"):
            for one in rounds:
                costs[one].append(process.ask(one))
    return [of for one in rounds for of in _figures(one, costs[one])]


def _figures(one: StepRound, costs: list[StepCost]) -> list[Figure]:
    title = f"{one.rows} mixed row{'s' if one.rows > 1 else ''}, {one.vocabulary:,} logits"
    aim = _AIMS.get(one.rows) if one.vocabulary <= _SMALL else None
    return [
        figure("steps", f"{title}: engine", _UNIT, [cost.engine for cost in costs], aim=aim),
        figure("steps", f"{title}: text", _UNIT, [cost.text for cost in costs]),
        figure("steps", f"{title}: whole step", _UNIT, [cost.step for cost in costs]),
    ]


def vocabulary_size(folder: Path) -> int:
    """The model's number of logits; that of a small vocabulary if its config does not say."""
    config = json.loads((folder / "config.json").read_text())
    found = config.get("vocab_size") or (config.get("text_config") or {}).get("vocab_size")
    return found if isinstance(found, int) else _SMALL
