"""transformers is imported faster by workers, and has the same names."""

import subprocess
import sys
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR
from inference.worker.transformers_import import from_last_all

pytestmark = pytest.mark.mlx
IMPORTING = """
import inference.worker
from transformers.utils import import_utils
print(import_utils.fetch__all__.__module__)
from transformers import AutoTokenizer, PreTrainedTokenizerFast
"""


def lines_of_all(text: str) -> list[str]:
    """The lines from the last one that begins with `__all__`, as transformers goes through a text."""
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("__all__")]
    return lines[starts[-1] :] if starts else []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "__all__ = ['a']\n",
        "import a\n\n__all__ = ['a']\n",
        "__all__ = ['a']\nx = 1\n__all__ = [\n    'b',\n]\n",
        "x = 1\n    __all__ = ['inner']\n",
        "print(__all__)\n",
    ],
)
def test_the_last_all_is_read(text: str) -> None:
    assert from_last_all(lines_of_all)(text) == lines_of_all(text)


def test_the_names_of_real_models_are_the_same() -> None:
    from transformers.utils import import_utils

    models = Path(import_utils.__file__).parents[1] / "models"
    texts = [file.read_text() for file in models.glob("q*/*.py")]
    assert len(texts) > 30
    for text in texts:
        assert from_last_all(lines_of_all)(text) == lines_of_all(text)


def test_a_process_of_the_worker_imports_it_this_way() -> None:
    command = [sys.executable, "-c", IMPORTING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=BASE_DIR, check=True)
    assert done.stdout.split() == ["inference.worker.transformers_import"]
