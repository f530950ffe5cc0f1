"""The engine serves a model with quantised caches as the model answers alone, and with less memory."""

from functools import cache
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.engine.batch import Batch
from inference.worker.kv_quantization.plan import install, planned
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model import mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from inference.worker.prefix_cache.cache import PrefixCache
from tests.architectures.comparison import SERVING_MODES, TOLERANCE, VOCABULARY, Serving, run, sequence
from tests.nightly import of_each_kind
from tests.worker.engine.lookup import accepted, drafted, eager_batch, plain_batch, predicted
from tests.worker.kv_quantization.models import logits, prompt, wide
from tests.worker.models import run as run_all
from tests.worker.models import sequence as draftable
from tests.worker.models import tokens

pytestmark = pytest.mark.mlx
# Rounding may send a number of a key to the next of 16 steps, which moves log probabilities by thousandths.
# In the gate test_plan.py has 4 bits: batches give the logits of each prompt alone.
ALL = [("llama", 8), ("llama", 4), ("gemma3", 8), ("qwen3_next", 8), ("deepseek_v3", 8)]
TRIED = [(name, bits, mode) for name, bits in ALL for mode in SERVING_MODES]
# Of windows, which stay whole, the modes that join and cut caches.
IN_GATE = [
    one
    for one in TRIED
    if one[:2] == ("llama", 8) or one in [("gemma3", 8, "joining"), ("gemma3", 8, "from disk")]
]
TOLERANCES = {8: TOLERANCE, 4: 10 * TOLERANCE}


@cache
def quantised(name: str, bits: int) -> tuple[nn.Module, BatchSupport]:
    mlx_lm_patches.patch_models()
    model = wide(name)
    if bits:
        install(model, planned(model, bits))
    return model, verified(model, VOCABULARY)


@pytest.mark.parametrize(("name", "bits", "mode"), of_each_kind(TRIED, IN_GATE))
def test_it_answers_as_it_does_alone(name: str, bits: int, mode: str, tmp_path: Path) -> None:
    serving = Serving(*quantised(name, bits), tmp_path)
    answers = list(SERVING_MODES[mode](serving))
    assert answers and all(answer.tokens for answer in answers)
    assert max(map(serving.distance, answers)) < TOLERANCES[bits]


@pytest.mark.parametrize("sampling", [{}, {"temperature": 1.0, "seed": 5}], ids=["greedy", "seeded"])
def test_rows_verify_drafts_over_packed_numbers(sampling: dict[str, Any]) -> None:
    model, _ = quantised("llama", 8)
    rows = [draftable(number, 20 + number, max_tokens=30, **sampling) for number in (1, 2, 3)]
    plain, fast = plain_batch(model), eager_batch(model)
    for row in rows:
        plain.add(row)
    expected = run_all(plain)
    for row in rows:
        fast.add(predicted(model, row, wrong_every=4 + row.id, generated=expected[row.id]))
    made = run_all(fast)
    assert {number: tokens(one) for number, one in made.items()} == {
        number: tokens(one) for number, one in expected.items()
    }
    assert all(0 < accepted(one) < drafted(one) for one in made.values())


def test_prefixes_are_kept_in_packed_numbers_and_found() -> None:
    model, support = quantised("llama", 8)
    prefixes = PrefixCache(10**8)
    batch = Batch(model, max_batch=4, prefill_step=48, prefix_cache=prefixes, support=support)
    first = sequence(1, 60)
    batch.add(first)
    run(batch, first)
    (entry,) = prefixes.entries
    assert [isinstance(layer, QuantizedKV) for layer in entry.cache] == [True, True, True, False]
    again = sequence(2, 0, prompt=(*first.prompt[:40], 7, 7, 7))
    batch.add(again)
    assert [served.cached for served in run(batch, again)] == [40]


@pytest.mark.parametrize(("bits", "share"), [(8, 10 / 32), (4, 6 / 32)])
def test_rows_of_a_batch_take_what_is_reserved_for_them(bits: int, share: float) -> None:
    # Three of four layers are packed, with scales and biases of groups of 32.
    assert bytes_of_a_batch(bits) / bytes_of_a_batch(0) == pytest.approx((3 * share + 1) / 4)


@cache
def bytes_of_a_batch(bits: int) -> int:
    model, _ = quantised("llama", bits)
    rows = [make_prompt_cache(model) for _ in range(4)]
    for length, caches in enumerate(rows, start=300):
        logits(model, prompt(length), caches)
    return sum(int(layers[0].merge(layers).nbytes) for layers in zip(*rows, strict=True))
