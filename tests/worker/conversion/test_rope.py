"""Llama 3's stretched positions: the factors are Meta's own rule, and mlx-lm comes to the same angles."""

import math
from typing import Any

import numpy as np
import pytest

from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.rope import rope_scaling
from tests.each import each

BASE, HEAD = 500000.0, 64


def metadata(**values: Any) -> GgufMetadata:
    fields = {f"llama.rope.{key.replace('__', '.')}": value for key, value in values.items()}
    return GgufMetadata("llama", {"llama.rope.freq_base": BASE} | fields)


def factors(factor: float = 32.0, high: float = 4.0) -> np.ndarray:
    """llama.cpp's convert_hf_to_gguf.py (LlamaModel.generate_extra_tensors), number by number."""
    found = []
    for i in range(0, HEAD, 2):
        wavelength = 2 * math.pi * BASE ** (i / HEAD)
        if wavelength < 8192 / high:
            found.append(1.0)
        elif wavelength > 8192 / 1.0:
            found.append(factor)
        else:
            smooth = (8192 / wavelength - 1.0) / (high - 1.0)
            found.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(found, np.float32)


def test_nothing_is_written_where_nothing_is_stretched() -> None:
    assert rope_scaling(metadata(), None, HEAD) == {}
    assert rope_scaling(metadata(scaling__type="none", scaling__factor=4.0), None, HEAD) == {}


@pytest.mark.parametrize(
    "values", [{"scaling__factor": 4.0, "scaling__type": "linear"}, {"scale_linear": 4.0}]
)
def test_a_plain_factor_is_linear(values: dict[str, Any]) -> None:
    assert rope_scaling(metadata(**values), None, HEAD) == {"rope_scaling": {"type": "linear", "factor": 4.0}}


@pytest.mark.parametrize("factor", [8.0, 32.0])
def test_llama_3_is_known_by_its_factors(factor: float) -> None:
    scaling = rope_scaling(metadata(), factors(factor), HEAD)["rope_scaling"]
    assert (scaling["rope_type"], scaling["factor"]) == ("llama3", factor)


@pytest.mark.mlx
def test_mlx_turns_by_the_same_angles() -> None:
    import mlx.core as mx
    from mlx_lm.models.rope_utils import initialize_rope

    mx.set_default_device(mx.cpu)
    scaling = rope_scaling(metadata(), factors(), HEAD)["rope_scaling"]
    rope = initialize_rope(HEAD, BASE, False, scaling, 131072)
    found = np.array(rope._freqs)
    assert found == pytest.approx(BASE ** (np.arange(0, HEAD, 2) / HEAD) * factors(), rel=1e-4)


@each(
    ("values", "tensor", "reason"),
    [
        ({"scaling__type": "yarn"}, None, "'yarn' is not supported"),
        ({"scaling__type": "longrope"}, None, "'longrope' is not supported"),
        ({"scaling__factor": 0.0}, None, "makes no sense"),
        ({}, factors(high=8.0), "follow no rule"),
        ({}, factors()[:-1], "follow no rule"),
        ({}, np.full(HEAD // 2, np.nan, np.float32), "follow no rule"),
        ({"scaling__factor": 2.0}, factors(), "follow no rule"),
    ],
)
def test_other_ways_are_refused(values: dict[str, Any], tensor: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        rope_scaling(metadata(**values), tensor, HEAD)
