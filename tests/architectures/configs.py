"""A tiny model of every architecture that mlx-lm has: its config, and the model itself with random weights.

An architecture is a module of mlx_lm/models. Each kind of layer that it has occurs at least once: attention
to a window and to everything, recurrence and attention, dense layers and experts.
"""

import copy
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import _get_classes

from tests.architectures import (
    dense,
    experts,
    latent,
    linear_attention,
    short_convolutions,
    state_space,
    windows,
)
from tests.architectures.fields import Fields
from tests.architectures.weights import randomize

_CONFIGS: dict[str, Fields] = {
    **dense.CONFIGS,
    **experts.CONFIGS,
    **latent.CONFIGS,
    **linear_attention.CONFIGS,
    **short_convolutions.CONFIGS,
    **state_space.CONFIGS,
    **windows.CONFIGS,
}
ARCHITECTURES: tuple[str, ...] = tuple(sorted(_CONFIGS))

MOST_USED: tuple[str, ...] = (
    "deepseek_v3",
    "gemma2",
    "gemma3",
    "gemma4",
    "gpt_oss",
    "llama",
    "llama4",
    "mistral3",
    "nemotron_h",
    "phi3",
    "qwen2",
    "qwen3",
    "qwen3_5",
    "qwen3_moe",
    "qwen3_next",
)

# One of each way to keep and mask a prompt. The others of the most used keep theirs as Llama (Phi 3, Qwen 2,
# Qwen 3 with experts and without), Gemma 3 (Mistral 3) or Qwen 3.5 (Qwen 3 Next).
OF_EACH_CACHE: tuple[str, ...] = (
    "deepseek_v3",  # latent keys and values
    "gemma2",  # a mask of grouped heads, which we patch
    "gemma3",  # windows
    "gemma4",  # windows, and layers that share keys and values
    "gpt_oss",  # windows with sinks, experts
    "llama",
    "llama4",  # chunks
    "nemotron_h",  # a state of Mamba 2
    "qwen3_5",  # a state of linear attention
)

# Modules of mlx-lm that have a model which is not made here, and why.
# What the random weights of a test, which have mlx-lm's own names, do not show.
REMARKS = {"kimi_vl": "mlx-lm 0.32 reads only folders whose `kv_b_proj` was split by a conversion"}
NOT_MADE: dict[str, str] = {
    "bitnet": "Its linear layers are a Metal kernel and have no other implementation.",
    "muse_spark": "It calls the Metal kernels of mlx_lm/kernels, which have no other implementation.",
    "olmo": "It needs the package ai2-olmo; without it, importing the module ends the process (SystemExit).",
}


def config(name: str) -> dict[str, Any]:
    """What config.json of such a model would say; each call gives a new dict, for mlx-lm writes into them."""
    return copy.deepcopy({"model_type": name, **_CONFIGS[name]})


def make(name: str, seed: int = 0) -> nn.Module:
    """A model in single precision, ready to evaluate, whose weights depend on the seed alone."""
    fields = config(name)
    model_class, args_class = _get_classes(fields)
    model = model_class(args_class.from_dict(fields))
    randomize(model, seed)
    model.eval()
    mx.eval(model.parameters())
    return model
