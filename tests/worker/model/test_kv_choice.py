"""A model has the KV caches that its operator chose, or whole ones and a finding that says why."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx_lm.models.cache import KVCache, make_prompt_cache

from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.kv_choice import with_kv_bits
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.model.probe import growing_bytes
from tests.architectures import folders
from tests.worker.kv_quantization.models import wide

pytestmark = pytest.mark.mlx
DEEP: dict[str, Any] = {"head_dim": 32, "num_hidden_layers": 12}
KEYS_AND_VALUES = 2 * 2 * 32 * 4  # bytes of one layer's two heads in fp32


def llama(folder: Path, **changes: Any) -> Path:
    changes = DEEP | changes
    return folders.write("llama", folder, wide("llama", **changes), **changes)


def loaded(folder: Path, **options: Any) -> LoadedModel:
    return load(Load(model="m", path=str(folder), device="cpu", **options), lambda progress: None)


def findings(model: LoadedModel) -> list[Finding]:
    return [finding for finding in model.findings if finding.about == "kv_cache"]


def test_whole_caches_are_the_default(tmp_path: Path) -> None:
    model = loaded(llama(tmp_path / "m"))
    assert (model.kv_bits, model.kv_bytes_per_token) == (0, 12 * KEYS_AND_VALUES) and not findings(model)
    assert {type(cache) for cache in make_prompt_cache(model.model)} == {KVCache}


@pytest.mark.parametrize(("bits", "share", "copy"), [(8, 10 / 32, 1), (4, 6 / 32, 1.5)])
def test_a_token_takes_what_its_packed_numbers_take(
    tmp_path: Path, bits: int, share: float, copy: float
) -> None:
    model = loaded(llama(tmp_path / "m"), kv_bits=bits)
    # eleven layers with scales and biases of groups of 32, the last one whole, and one unpacked copy
    assert model.kv_bytes_per_token == (11 * share + 1 + copy) * KEYS_AND_VALUES
    assert (model.kv_bits, model.support) == (bits, BatchSupport())
    (finding,) = findings(model)
    assert finding.light == "green" and f"11 of 12 KV caches have {bits} bits." in finding.text
    assert f"{model.kv_bytes_per_token:,} bytes instead of 6,144" in finding.text


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("gpt_oss", {"head_dim": 32}, "2 (attention sinks)"),
        ("llama", {"head_dim": 16, "num_hidden_layers": 4}, "no multiple of 32"),
        (
            "llama",
            {"head_dim": 32, "num_hidden_layers": 2},
            "would take 1,184 bytes instead of 1,024",
        ),
    ],
)
def test_what_cannot_be_quantised_stays_whole_and_says_so(
    tmp_path: Path, name: str, changes: dict[str, Any], why: str
) -> None:
    model = loaded(folders.write(name, tmp_path / "m", wide(name, **changes), **changes), kv_bits=8)
    (finding,) = findings(model)
    assert model.kv_bits == 0 and finding.light == "amber" and why in finding.text
    assert not any(isinstance(cache, QuantizedKV) for cache in make_prompt_cache(model.model))
    assert model.kv_bytes_per_token == loaded(tmp_path / "m").kv_bytes_per_token


def test_a_model_that_fails_with_quantised_caches_keeps_whole_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads_keys(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a tuple is no array")

    monkeypatch.setattr(QuantizedKV, "update_and_fetch", reads_keys)
    model = loaded(llama(tmp_path / "m"), kv_bits=8)
    (finding,) = findings(model)
    assert model.kv_bits == 0 and "cannot compute with quantised keys" in finding.text


def on_a_gpu(model: nn.Module) -> LoadedModel:
    """As if the model were on a GPU, which multiplies by packed numbers."""
    whole = make_prompt_cache(model)
    mx.eval(model(mx.array([[0, 1]]), cache=whole))
    facts: dict[str, Any] = {"tokenizer": None, "adapter": None, "own_sampling": None, "seconds": 0}
    kv_bytes = growing_bytes(whole)
    return LoadedModel(
        **facts, model=model, context_length=9, vocab_size=9, device="gpu", kv_bytes_per_token=kv_bytes
    )


@pytest.mark.parametrize(("name", "is_fused"), [("llama", True), ("gemma2", False), ("deepseek_v3", False)])
def test_a_gpu_multiplies_by_packed_numbers_if_the_model_can(name: str, is_fused: bool) -> None:
    loaded = with_kv_bits(on_a_gpu(wide(name, num_hidden_layers=6)), 8)
    caches = [one for one in make_prompt_cache(loaded.model) if isinstance(one, QuantizedKV)]
    assert len(caches) == 5 and {cache.layout.is_fused for cache in caches} == {is_fused}


def test_a_gpu_that_computes_something_else_with_packed_numbers_gets_unpacked_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = importlib.import_module("mlx_lm.models.base")
    original: Callable[..., Any] = base.quantized_scaled_dot_product_attention

    def wrong(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)[..., ::-1]

    monkeypatch.setattr(base, "quantized_scaled_dot_product_attention", wrong)
    loaded = with_kv_bits(on_a_gpu(wide("llama")), 8)
    caches = [one for one in make_prompt_cache(loaded.model) if isinstance(one, QuantizedKV)]
    assert caches and not any(cache.layout.is_fused for cache in caches)
