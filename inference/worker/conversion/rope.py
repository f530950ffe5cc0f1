"""GGUF's rotary position scaling as mlx-lm's rope_scaling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.worker.conversion.metadata import GgufMetadata

FACTORS = "rope_freqs.weight"  # a tensor: the divisor of each frequency
_LLAMA_3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def rope_scaling(
    metadata: GgufMetadata, factors: NDArray[np.float32] | None, head_dim: int
) -> dict[str, Any]:
    """The entry for config.json, empty without scaling; raises ValueError if mlx-lm does not support it."""
    kind = metadata.text("rope.scaling.type", "linear")  # llama.cpp takes a factor without a type for linear
    if kind not in {"none", "linear"}:
        raise ValueError(f"its rotary scaling {kind!r} is not supported")
    factor = metadata.real("rope.scaling.factor", metadata.real("rope.scale_linear", 1.0))
    if factor <= 0:
        raise ValueError("its rotary scaling makes no sense")
    is_linear = kind == "linear" and factor != 1
    if factors is None:
        return {"rope_scaling": {"type": "linear", "factor": factor}} if is_linear else {}
    # The file has the result of Llama 3's rule, not its parameters; Meta's models differ in one of them only.
    largest = float(factors.max())
    expected = _llama_3_factors(metadata.real("rope.freq_base", 10000.0), head_dim, largest)
    if is_linear or factors.shape != expected.shape or not np.allclose(factors, expected, rtol=1e-3):
        raise ValueError("its rotary frequencies follow no rule that is supported")
    if largest == 1:
        return {}
    return {"rope_scaling": {"rope_type": "llama3", "factor": largest, **_LLAMA_3}}


def _llama_3_factors(base: float, head_dim: int, factor: float) -> NDArray[np.float32]:
    """https://github.com/meta-llama/llama-models/blob/main/models/llama3/model.py (apply_scaling)."""
    low, high, context = _LLAMA_3.values()
    turns = context / (2 * np.pi) * base ** (-np.arange(0, head_dim, 2) / head_dim)
    smooth = ((turns - low) / (high - low)).clip(0, 1)
    return np.asarray(1 / ((1 - smooth) / factor + smooth), np.float32)
