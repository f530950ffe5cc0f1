"""The results of a verification for correct models, and for models with one error each."""

from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx_lm.models.cache import (
    ConcatenateKVCache,
    KVCache,
    RotatingKVCache,
    make_prompt_cache,
)

from inference.worker.model import mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from tests.architectures import configs

pytestmark = pytest.mark.mlx
VOCABULARY = 320
RIGHT = BatchSupport()


class Wrong(nn.Module):  # type: ignore[misc]
    """A model that is right alone, and whose logits `change` bends, given the inputs and the caches."""

    def __init__(self, change: Callable[[mx.array, mx.array, list[Any]], mx.array]) -> None:
        super().__init__()
        self.inner = configs.make("llama")
        self._change = change

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        # The caches as they are before the pass.
        before = [dict(vars(layer)) for layer in cache]
        return self._change(self.inner(inputs, cache=cache), inputs, before)


def swapped(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
    """Rows are given each other's logits, as with a mask that lacks an axis."""
    return logits[::-1]


def mixed(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
    """A tenth of each row is its neighbours'."""
    return 0.9 * logits + 0.1 * logits.mean(axis=0, keepdims=True)


def fails(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
    if inputs.shape[0] > 1:
        raise ValueError("this model takes one row")
    return logits


def late(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
    """Only a batch of three is wrong."""
    return logits[::-1] if inputs.shape[0] == 3 else logits


@pytest.mark.parametrize("change", [swapped, mixed, fails, late])
def test_a_batch_that_says_something_else_is_found(change: Callable[..., mx.array]) -> None:
    support = verified(Wrong(change), VOCABULARY)
    assert (support.can_batch, support.can_prefill_together) == (False, False)
    assert support.can_trim_prefixes and support.can_reuse_prefixes and "answers change" in support.reason


class WithCaches(nn.Module):  # type: ignore[misc]
    """A sound model over caches of another type."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self.inner = configs.make("llama")
        self._make = make

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def make_cache(self) -> list[Any]:
        return [self._make() for _ in self.layers]

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        made: mx.array = self.inner(inputs, cache=cache)
        return made


class Forgetful(KVCache):  # type: ignore[misc]  # mlx-lm is not typed
    """A cache that is not right once it has been trimmed."""

    def trim(self, n: int) -> int:
        self.keys: Any = self.keys * 0.5
        return int(super().trim(n))


def test_caches_that_are_wrong_once_they_went_back_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KVCache, "trim", Forgetful.trim)
    support = verified(configs.make("llama"), VOCABULARY)
    assert support == BatchSupport(can_trim_prefixes=False)


def test_caches_that_cannot_be_merged_are_named() -> None:
    support = verified(WithCaches(ConcatenateKVCache), VOCABULARY)
    assert not support.can_batch and "ConcatenateKVCache" in support.reason


def test_a_window_is_right_before_and_after_it_has_moved() -> None:
    for window in (4, 8, 512):
        assert verified(WithCaches(partial(RotatingKVCache, max_size=window)), VOCABULARY) == RIGHT


@pytest.mark.parametrize("name", ["mamba", "jamba", "rwkv7"])
def test_a_state_that_padding_disturbs_is_found(name: str) -> None:
    assert verified(configs.make(name), VOCABULARY) == BatchSupport(can_prefill_together=False)


@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16])
# Experts are left out: MLX has no half precision for them on a CPU.
@pytest.mark.parametrize("name", ["llama", "gemma3", "qwen3_5", "phi3"])
def test_rounding_is_no_fault(name: str, dtype: mx.Dtype) -> None:
    mlx_lm_patches.patch_models()
    model = configs.make(name)
    model.set_dtype(dtype)
    assert verified(model, VOCABULARY) == RIGHT


@pytest.mark.parametrize("name", ["mamba", "phi3small"])
def test_faults_are_found_in_half_precision_too(name: str) -> None:
    model = configs.make(name)
    model.set_dtype(mx.bfloat16)
    assert not verified(model, VOCABULARY).can_prefill_together


def test_noise_that_a_device_adds_is_no_fault() -> None:
    """On a GPU the kernels for one row and for several round differently, here by about a hundredth."""

    def noisy(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
        random = np.random.default_rng(inputs.shape[0])
        return logits * mx.array(1 + 0.01 * random.standard_normal(logits.shape[-1]).astype(np.float32))

    model = Wrong(noisy)
    model.set_dtype(mx.bfloat16)
    assert verified(model, VOCABULARY) == RIGHT


def test_padding_of_the_vocabulary_with_minus_infinity_is_no_fault() -> None:
    def padded(logits: mx.array, inputs: mx.array, cache: list[Any]) -> mx.array:
        return mx.concatenate([logits, mx.full((*logits.shape[:-1], 8), -mx.inf)], axis=-1)

    assert verified(Wrong(padded), VOCABULARY) == RIGHT


def test_the_model_itself_is_left_as_it_was() -> None:
    model = configs.make("qwen3_5")
    before = model(mx.array([[5, 6, 7]]), cache=make_prompt_cache(model))
    verified(model, VOCABULARY)
    assert mx.array_equal(before, model(mx.array([[5, 6, 7]]), cache=make_prompt_cache(model)))
