"""Every architecture gives the same answers in every serving mode as alone; in the gate one of each kind."""

from functools import cache
from pathlib import Path

import mlx.nn as nn
import pytest

from inference.worker.model import mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from tests.architectures import configs, document
from tests.architectures.comparison import SERVING_MODES, TOLERANCE, VOCABULARY, Serving
from tests.nightly import of_each_kind

pytestmark = pytest.mark.mlx
TRIED = of_each_kind(configs.ARCHITECTURES, configs.OF_EACH_CACHE)
REUSED = ("llama", "gpt_oss", "qwen3_5", "llama4")
assert set(REUSED) <= set(TRIED)
CASES = [(name, mode) for name in TRIED for mode in SERVING_MODES]
# A plain cache, windows and a state in every mode; the others where rows join and leave, and with prefixes.
IN_GATE = [
    (name, mode)
    for name, mode in CASES
    if name in ("llama", "gemma3", "nemotron_h") or mode in ("joining", "another turn")
]


@cache
def verified_model(name: str) -> tuple[nn.Module, BatchSupport]:
    mlx_lm_patches.patch_models()
    model = configs.make(name)
    return model, verified(model, VOCABULARY)


@pytest.mark.parametrize(("name", "mode"), of_each_kind(CASES, IN_GATE))
def test_it_answers_as_it_does_alone(name: str, mode: str, tmp_path: Path) -> None:
    serving = Serving(*verified_model(name), tmp_path)
    answers = list(SERVING_MODES[mode](serving))
    assert answers and all(answer.tokens for answer in answers)
    if mode == "another turn" and name in REUSED:  # otherwise it would prove nothing of prefixes
        assert max(answer.cached for answer in answers) > 40
    assert max(map(serving.distance, answers)) < TOLERANCE


@pytest.mark.parametrize("name", TRIED)
def test_the_page_of_families_says_how_it_is_served(name: str) -> None:
    assert document.row(name) in document.PAGE.read_text().splitlines()


def test_the_page_of_families_has_a_row_for_every_architecture() -> None:
    lines = document.PAGE.read_text().splitlines()
    rows = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert rows == document.names()
