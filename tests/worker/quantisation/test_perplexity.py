"""The perplexity beside mlx-lm's own computation."""

import hashlib
import math
from pathlib import Path

import mlx.core as mx
import pytest
from mlx_lm import perplexity as mlx_lm_perplexity
from mlx_lm.utils import load_model

from inference.worker.model.model_files import read_tokenizer
from inference.worker.quantisation import perplexity
from inference.worker.quantisation.perplexity import of_folder, of_model, text_windows
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


def test_it_is_what_mlx_lm_computes(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = text_windows(read_tokenizer(tiny), 128)
    model, _ = load_model(tiny)
    value, error = mlx_lm_perplexity.eval_ppl(model, mx.array(windows), batch_size=4)
    counted: list[int] = []
    found = of_folder(tiny, windows, device="cpu", on_tokens=counted.append)
    assert math.isclose(found.value, value, rel_tol=1e-4)
    assert math.isclose(found.error, error, rel_tol=1e-3)
    assert sum(counted) == 127 * len(windows)


def test_the_windows_are_the_beginning_of_the_text_side_by_side(tiny: Path) -> None:
    tokenizer = read_tokenizer(tiny)
    windows = text_windows(tokenizer, 512)
    assert [len(window) for window in windows] == [512] * 16
    begin = len(tokenizer.begin_ids)
    text = tokenizer.decode([token for window in windows for token in window[begin:]])
    assert text.startswith("                            CHAPTER I\n") and "White\nRabbit" in text


def test_a_window_begins_as_the_models_texts_do(tiny: Path) -> None:
    tokenizer = read_tokenizer(tiny)
    tokenizer.begin_ids = [256]
    windows = text_windows(tokenizer, 64)
    assert {window[0] for window in windows} == {256} and len(windows[0]) == 64


def test_the_text_is_what_the_documentation_says() -> None:
    text = (Path(perplexity.__file__).parent / "alice.txt").read_bytes()
    assert hashlib.sha256(text).hexdigest().startswith("1b045b67778e5746")


def test_a_model_without_finite_numbers_is_told(tiny: Path) -> None:
    model, _ = load_model(tiny)
    model.model.norm.weight = model.model.norm.weight * math.nan
    with pytest.raises(ArithmeticError, match="no finite numbers"):
        of_model(model, [[1, 2, 3]], lambda tokens: None)
