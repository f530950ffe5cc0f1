"""Random weights under which every part of a model matters: its logits are neither uniform nor saturated.

What a parameter is follows from the module that holds it and from its name. Activations stay at about one
from layer to layer, and a recurrent state lasts for tens of tokens.
"""

import math
import zlib

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from tests.architectures.fields import VOCABULARY

NOISE = 0.1
EMBEDDING = 0.12
# Mean and spread of parameters that need values of their own, by the end of their path. With each token a
# state fades to exp(-exp(A_log) * softplus(dt_bias)) of what it was, here to about 95 percent; the values
# that mlx-lm begins with would leave little after a few tokens. Keys and values of afm7 are rounded to
# multiples of their scales.
PARTICULAR: dict[str, tuple[float, float]] = {
    "A_log": (0.0, 0.3),
    "dt_bias": (-3.0, 0.3),
    "dt_proj.bias": (-3.0, 0.3),
    ".D": (0.5, 0.1),
    "recurrent_param": (-4.5, 0.3),
    "w_lora.lora.2.bias": (-3.0, 0.3),
    ".x_r": (0.5, 0.1),
    ".x_w": (0.5, 0.1),
    ".x_k": (0.5, 0.1),
    ".x_v": (0.5, 0.1),
    ".x_a": (0.5, 0.1),
    ".x_g": (0.5, 0.1),
    ".k_k": (1.0, 0.1),
    ".k_a": (1.0, 0.1),
    "correct_output_scale": (1.0, 0.1),
    "quant_key_scale": (0.05, 0.0),
    "quant_value_scale": (0.05, 0.0),
}
# Norms that multiply by one more than their weight. Those called RMSNorm are mlx-lm's own, not mlx's.
ADDS_ONE = ("RMSNorm", "GemmaRMSNorm", "GearRMSNorm", "CenteredRMSNorm", "NemotronLayerNorm1P")


def randomize(model: nn.Module, seed: int) -> None:
    """Give every parameter of a model a random value that depends on the seed and on its path alone."""
    for path, module in model.named_modules():
        if hasattr(module, "scales"):
            _pack(module, _random(seed, path))
            continue
        for name, array in list(module.items()):
            if isinstance(array, mx.array) and not name.startswith("_"):
                random = _random(seed, f"{path}.{name}")
                module[name] = mx.array(_value(module, f"{path}.{name}", np.array(array), random), mx.float32)


def _random(seed: int, path: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(path.encode())])


def _value(module: nn.Module, path: str, initial: np.ndarray, random: np.random.Generator) -> np.ndarray:
    noise = random.standard_normal(initial.shape)
    for end, (mean, spread) in PARTICULAR.items():
        if path.endswith(end):
            return mean + spread * noise
    if isinstance(module, nn.Embedding):
        noise[VOCABULARY:] = 0.0  # no token beyond the vocabulary is ever the likeliest
        return EMBEDDING * noise
    if initial.ndim == 0:
        return initial
    if "Norm" in type(module).__name__ and path.endswith(".weight"):
        return _gain(module) + NOISE * noise
    if initial.ndim == 1 or (initial.min() == initial.max() != 0):
        constant = initial.flat[0] if initial.min() == initial.max() else 0.0
        return constant + NOISE * noise
    inputs = initial.shape[-1] if "Conv" not in type(module).__name__ else math.prod(initial.shape[1:])
    return noise / math.sqrt(inputs)


def _gain(norm: nn.Module) -> float:
    own = not type(norm).__module__.startswith("mlx.nn")
    return 0.0 if own and type(norm).__name__ in ADDS_ONE else 1.0


def _pack(module: nn.Module, random: np.random.Generator) -> None:
    """Quantize random weights into a module that has packed ones."""
    rows, packed = module.weight.shape
    inputs = packed * 32 // module.bits
    weights = mx.array(random.standard_normal((rows, inputs)) / math.sqrt(inputs), mx.float32)
    module.weight, scales, biases = mx.quantize(weights, group_size=module.group_size, bits=module.bits)
    module.scales, module.biases = scales.astype(mx.float16), biases.astype(mx.float16)
    if hasattr(module, "signs"):
        module.signs = mx.array(random.choice([-1.0, 1.0], module.signs.shape), mx.float32)
