"""Which caches of which models are quantised, and that the models compute nearly the same with them."""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.kv_quantization.plan import install, planned, probe, uninstall
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model import mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from tests.nightly import of_each_kind
from tests.worker.kv_quantization.models import FAMILIES, VOCABULARY, distance, logits, prompt, wide

pytestmark = pytest.mark.mlx
# Random weights give flat attention, where errors of single keys show more than in a trained model.
TOLERANCES = {8: 0.03, 4: 0.4}
# The places that are quantised: not the last of full attention, no window, no recurrent state, no sinks.
PLACES = {
    "llama": [0, 1, 2],
    "qwen3": [0, 1, 2],
    "gemma2": [0, 1],
    "gemma3": [1],
    "gpt_oss": [],
    "deepseek_v3": [0, 1],
    "qwen3_next": [1, 3, 5],
}

PACKED = [(name, bits) for name in FAMILIES if PLACES[name] for bits in (8, 4)]
IN_GATE = [("llama", 8), ("llama", 4), ("gemma3", 8), ("deepseek_v3", 8)]


@pytest.fixture(autouse=True)
def patched() -> None:
    mlx_lm_patches.patch_models()


@pytest.mark.parametrize("name", FAMILIES)
def test_layers_that_grow_are_quantised_but_for_the_last(name: str) -> None:
    model = wide(name)
    whole = make_prompt_cache(model)
    plan = planned(model, 8)
    assert sorted(plan.layouts) == PLACES[name] and len(plan.layouts) + len(plan.kept) == len(whole)
    install(model, plan)
    made = make_prompt_cache(model)
    assert [place for place, cache in enumerate(made) if type(cache) is QuantizedKV] == PLACES[name]
    uninstall(model)
    assert [type(cache) for cache in make_prompt_cache(model)] == [type(cache) for cache in whole]


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", [name for name in FAMILIES if PLACES[name]])
def test_logits_are_near_those_of_whole_caches(name: str, bits: int) -> None:
    model, tokens = wide(name), prompt(60)
    whole = logits(model, tokens, make_prompt_cache(model))
    install(model, planned(model, bits))
    assert 0 < distance(logits(model, tokens, make_prompt_cache(model)), whole) < TOLERANCES[bits]


@pytest.mark.parametrize(("name", "bits"), of_each_kind(PACKED, IN_GATE))
def test_batches_give_the_logits_of_each_prompt_alone(name: str, bits: int) -> None:
    model = wide(name)
    whole = verified(model, VOCABULARY)
    install(model, planned(model, bits))
    assert verified(model, VOCABULARY) == whole == BatchSupport()


@pytest.mark.parametrize("name", of_each_kind(["llama", "gemma3", "qwen3_next"], ["llama", "gemma3"]))
def test_attention_over_packed_numbers_computes_the_same(name: str) -> None:
    model, tokens = wide(name), prompt(40)
    plan = planned(model, 8)
    install(model, plan)
    unpacked = logits(model, tokens, make_prompt_cache(model))
    install(model, plan.fused())
    assert distance(logits(model, tokens, make_prompt_cache(model)), unpacked) < 1e-3
    assert verified(model, VOCABULARY) == BatchSupport()


def test_reasons_are_named() -> None:
    assert planned(wide("llama"), 8).whole == "1 (the last layer with full attention)"
    assert planned(wide("gpt_oss"), 8).whole == (
        "2 (no growth, or read by the model itself), 2 (attention sinks)"
    )
    narrow = planned(wide("llama", head_dim=16), 8)
    assert not narrow.layouts and "3 (heads that are no multiple of 32 numbers)" in narrow.whole


def test_groups_are_as_large_as_the_heads_allow() -> None:
    sizes = {
        head: {layout.group_size for layout in planned(wide("llama", head_dim=head), 4).layouts.values()}
        for head in (32, 64, 96, 128)
    }
    assert sizes == {32: {32}, 64: {64}, 96: {32}, 128: {64}}


def test_plans_do_not_pile_up() -> None:
    model = wide("llama")
    whole = probe(model)
    for bits in (8, 4):
        install(model, planned(model, bits))
        uninstall(model)
        assert mx.array_equal(probe(model), whole)
    install(model, plan := planned(model, 8))
    install(model, plan.fused())
    uninstall(model)
    assert mx.array_equal(probe(model), whole)


class Bent(nn.Module):  # type: ignore[misc]
    """The model, whose logits in a batch are partly those of the other rows."""

    def __init__(self, inner: nn.Module, share: float) -> None:
        super().__init__()
        self.inner = inner
        self._share = share

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        logits: mx.array = self.inner(inputs, cache=cache)
        return (1 - self._share) * logits + self._share * logits[::-1]


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize(("share", "can_batch"), [(0, True), (0.01, True), (0.1, False), (1, False)])
def test_wrong_batches_are_found_beyond_the_rounding_of_packed_numbers(
    bits: int, share: float, can_batch: bool
) -> None:
    model = Bent(wide("llama"), share)
    install(model, planned(model, bits))
    assert verified(model, VOCABULARY).can_batch == can_batch
