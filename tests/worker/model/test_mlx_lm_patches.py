"""What is changed of mlx-lm is really used, and a name that is gone is not set in silence."""

import importlib
from types import SimpleNamespace

import mlx.core as mx
import pytest
from mlx_lm.generate import BatchGenerator, PromptProcessingBatch
from mlx_lm.models import cache as mlx_caches
from mlx_lm.models.cache import KVCache, make_prompt_cache

from inference.worker.engine.decode_step import Decode
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model import mlx_lm_patches
from tests.architectures import configs
from tests.nightly import of_each_kind

pytestmark = pytest.mark.mlx
GENERATE = importlib.import_module("mlx_lm.generate")


@pytest.fixture(autouse=True)
def changed() -> None:
    for _ in range(2):
        mlx_lm_patches.patch_models()
        mlx_lm_patches.install_decode_step(Decode)


def test_a_cache_type_of_ours_is_added_once_and_never_in_the_place_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mlx_lm_patches.patch_models()
    mlx_lm_patches.patch_models()
    assert mlx_caches.QuantizedKV is QuantizedKV
    monkeypatch.setattr(mlx_caches, "QuantizedKV", KVCache)
    with pytest.raises(mlx_lm_patches.UnknownMlxLm, match="QuantizedKV of its own"):
        mlx_lm_patches.patch_models()


def test_mlx_lm_wires_no_memory_by_itself() -> None:
    assert GENERATE.maybe_set_recommended_wired_limit() is None
    assert GENERATE.maybe_set_recommended_wired_limit.__module__ == mlx_lm_patches.__name__


def test_its_generator_decodes_with_our_step() -> None:
    generator = BatchGenerator(configs.make("llama"))
    assert type(generator._generation_batch) is Decode


def test_gemma_2_takes_the_mask_of_a_batch_with_as_many_rows_as_key_heads() -> None:
    model = configs.make("gemma2")
    prompts = [[5, 6, 7, 8], [9, 10, 11, 12]]
    rows = []
    for prompt in prompts:
        rows.append(model(mx.array([prompt]), cache=make_prompt_cache(model))[0])
    caches = [layer.merge([layer, layer]) for layer in make_prompt_cache(model)]
    both = model(mx.array(prompts), cache=caches)
    assert mx.allclose(both, mx.stack(rows), atol=1e-4).item()


@pytest.mark.parametrize("change", [mlx_lm_patches._replace, mlx_lm_patches._wrap])
def test_a_name_that_is_gone_ends_the_start(change: object) -> None:
    module = SimpleNamespace(__name__="mlx_lm.somewhere")
    with pytest.raises(mlx_lm_patches.UnknownMlxLm, match=r"mlx_lm\.somewhere\.renamed"):
        change(module, "renamed", lambda original: original)  # type: ignore[operator]
    assert not hasattr(module, "renamed")


OTHERS = ("falcon_h1", "granitemoehybrid", "plamo2", "nemotron_h")
LENGTHS = ((3, 40), (300, 40), (256, 512, 5), (257, 600, 255), (64, 64))
STATES = [(name, lengths) for name in ("mamba2", *OTHERS) for lengths in LENGTHS]
# Every kind of end for one of them; the others use the same function, and cut at 256 in their own ways.
STATES_IN_GATE = [case for case in STATES if case[0] == "mamba2" or case[1] == (300, 40)]


@pytest.mark.parametrize(("name", "lengths"), of_each_kind(STATES, STATES_IN_GATE))
def test_a_state_is_kept_where_each_row_of_a_padded_chunk_ends(name: str, lengths: tuple[int, ...]) -> None:
    model = configs.make(name)
    prompts = [[(row + 7 * place) % 300 for place in range(length)] for row, length in enumerate(lengths)]
    rows = []
    for prompt in prompts:
        cache = make_prompt_cache(model)
        model(mx.array([prompt]), cache=cache)
        rows.append(model(mx.array([[9]]), cache=cache)[0])
    batch = PromptProcessingBatch(
        model, list(range(len(prompts))), [make_prompt_cache(model) for _ in prompts]
    )
    batch.prompt(prompts)
    both = model(mx.full((len(prompts), 1), 9), cache=batch.prompt_cache)
    assert mx.allclose(both, mx.stack(rows), atol=2e-3).item()
