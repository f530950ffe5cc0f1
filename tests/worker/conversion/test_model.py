"""Models of every architecture through GGUF: what they compute, next to the same weights kept plain."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.repository.files.safetensors import read_tensors
from tests.gguf_models import LLAMA, TINY, make_pair
from tests.nightly import of_each_kind
from tests.worker.conversion.importing import import_here

pytestmark = pytest.mark.mlx
PROMPT = list(range(40, 72))
FLOATS = {"llama": "F16", "qwen2": "BF16", "gemma3": "BF16"}  # all that is not packed is of one type


def logits(folder: Path) -> Any:
    import mlx.core as mx
    from mlx_lm.utils import load_model

    mx.set_default_device(mx.cpu)
    model, _ = load_model(folder)
    model.set_dtype(mx.float32)  # the weights' values, without the rounding of the computation
    return np.array(model(mx.array([PROMPT]))[0].astype(mx.float32))


def greedy(folder: Path) -> list[int]:
    import mlx.core as mx
    from mlx_lm.generate import generate_step
    from mlx_lm.utils import load_model

    mx.set_default_device(mx.cpu)
    model, _ = load_model(folder)
    model.set_dtype(mx.float32)
    return [int(token) for token, _ in generate_step(mx.array(PROMPT), model, max_tokens=8)]


def error(found: Any, wanted: Any) -> float:
    """How far apart they are, in parts of what is there."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def imported(folder: Path, gguf: Path) -> Path:
    import_here(gguf, folder / "model")
    return folder / "model"


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return found


@pytest.fixture(scope="module", params=of_each_kind(TINY, ["llama", "qwen3", "gemma2"]))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of an architecture, imported and plain."""
    folder = tmp_path_factory.mktemp(request.param)
    plain, gguf = make_pair(folder, TINY[request.param])
    return imported(folder, gguf), plain


def test_a_model_computes_what_its_plain_weights_do(pair: tuple[Path, Path]) -> None:
    model, plain = pair
    assert error(logits(model), logits(plain)) < 1e-4


def test_a_model_speaks_on_as_its_plain_weights_do(pair: tuple[Path, Path]) -> None:
    model, plain = pair
    assert greedy(model) == greedy(plain)


@pytest.mark.parametrize("name", of_each_kind(TINY, ["llama", "gemma3"]))
def test_a_model_of_k_quants_computes_what_its_plain_weights_do(tmp_path: Path, name: str) -> None:
    """As the usual files mix them: Q4_K, with the embedding in Q6_K."""
    plain, gguf = make_pair(tmp_path, TINY[name], kind="Q4_K", embedding="Q6_K")
    model = imported(tmp_path, gguf)
    # Scales have three digits fewer in bfloat16.
    assert error(logits(model), logits(plain)) < (0.03 if TINY[name].architecture == "llama" else 0.1)
    assert read(model)["quantization"] == {
        **{"group_size": 32, "bits": 4},
        "model.embed_tokens": {"group_size": 32, "bits": 8},
    }
    if name in FLOATS:
        assert {tensor.dtype for tensor in read_tensors(model)} == {"U32", FLOATS[name]}


@pytest.mark.parametrize(
    ("kind", "bits", "allowed"),
    [
        *[("Q4_0", 4, 0.005), ("Q4_1", 4, 0.005), ("Q5_0", 5, 0.005), ("Q5_1", 5, 0.005), ("Q8_0", 8, 0.005)],
        *[("Q2_K", 4, 0.2), ("Q3_K", 4, 0.4), ("Q4_K", 4, 0.005), ("Q5_K", 5, 0.005), ("Q6_K", 8, 0.03)],
    ],
)
def test_every_type_computes_what_its_plain_weights_do(
    tmp_path: Path, kind: str, bits: int, allowed: float
) -> None:
    plain, gguf = make_pair(tmp_path, LLAMA, kind=kind)
    model = imported(tmp_path, gguf)
    assert read(model)["quantization"] == {"group_size": 32, "bits": bits}
    assert error(logits(model), logits(plain)) < allowed


@pytest.mark.parametrize("name", of_each_kind(["llama", "qwen2", "qwen3"], ["qwen2"]))
def test_a_head_of_its_own_is_kept(tmp_path: Path, name: str) -> None:
    plain, gguf = make_pair(tmp_path, TINY[name], untied=True)
    model = imported(tmp_path, gguf)
    assert read(model)["tie_word_embeddings"] is False
    assert error(logits(model), logits(plain)) < 1e-4
