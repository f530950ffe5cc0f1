"""Which kinds of models mlx-lm can load, found without importing it."""

import subprocess
import sys

from inference.repository.files import architectures
from tests.each import each


@each("name", ["llama", "qwen3", "gpt_oss", "mistral", "kimi_k2", "smolvlm"])
def test_published_kinds_are_known(name: str) -> None:
    assert architectures.is_known(name)


@each("name", ["", "unknown", "llama_of_tomorrow", "../llama"])
def test_others_are_not(name: str) -> None:
    assert not architectures.is_known(name)


def test_the_other_names_are_those_of_mlx_lm() -> None:
    names = "import mlx_lm.utils as u; print(' '.join(sorted(u.MODEL_REMAPPING)))"
    done = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == architectures.OTHER_NAMES
