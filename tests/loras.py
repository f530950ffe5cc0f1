"""LoRA adapters with random weights, written as mlx-lm and PEFT write them; without importing mlx."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

Shape = tuple[int, ...]  # of a layer: (outputs, inputs), or (experts, outputs, inputs)
Arrays = dict[str, "np.ndarray[Any, np.dtype[np.float32]]"]
# Of the tiny model (tests/tiny.py).
Q, O, UP, DOWN = "self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj"  # noqa: E741
TINY: Mapping[str, Shape] = {Q: (64, 64), O: (64, 64), UP: (128, 64), DOWN: (64, 128)}
EMBEDDING = "model.embed_tokens"


def layers(
    *parts: str, numbers: Sequence[int] = (0, 1), shapes: Mapping[str, Shape] = TINY
) -> dict[str, Shape]:
    """Paths and shapes of these parts of some of the model's layers."""
    return {f"model.layers.{number}.{part}": shapes[part] for number in numbers for part in parts}


def write_mlx(
    folder: Path,
    changed: Mapping[str, Shape],
    *,
    rank: int = 4,
    scale: float = 4.0,
    seed: int = 1,
    is_dora: bool = False,
    **config: Any,
) -> Path:
    """An adapter as `mlx_lm.lora` writes it."""
    random, arrays = np.random.default_rng(seed), Arrays()
    for path, (*experts, outputs, inputs) in changed.items():
        a, b = _drawn(random, *experts, inputs, rank), _drawn(random, *experts, rank, outputs)
        arrays[f"{path}.lora_a"] = a if not experts else np.ascontiguousarray(a.swapaxes(1, 2))
        arrays[f"{path}.lora_b"] = b if not experts else np.ascontiguousarray(b.swapaxes(1, 2))
        if is_dora:
            arrays[f"{path}.m"] = np.abs(_drawn(random, outputs)) * 5 + 0.5
    keys = sorted({re.sub(r"^.*?\blayers\.\d+\.", "", path) for path in changed})
    settings = {
        "fine_tune_type": "dora" if is_dora else "lora",
        "num_layers": -1,
        "lora_parameters": {"rank": rank, "scale": scale, "dropout": 0.0, "keys": keys},
    }
    return _write(folder, "adapters.safetensors", arrays, settings | config)


def write_peft(
    folder: Path,
    changed: Mapping[str, Shape],
    *,
    rank: int = 4,
    scale: float = 4.0,
    seed: int = 1,
    is_dora: bool = False,
    **config: Any,
) -> Path:
    """An adapter as PEFT writes it: of equal arguments the same change as mlx-lm's."""
    random, arrays = np.random.default_rng(seed), Arrays()
    for path, (outputs, inputs) in changed.items():
        name = f"base_model.model.{path}"
        arrays[f"{name}.lora_A.weight"] = np.ascontiguousarray(_drawn(random, inputs, rank).T)
        arrays[f"{name}.lora_B.weight"] = np.ascontiguousarray(_drawn(random, rank, outputs).T)
        if is_dora:
            arrays[f"{name}.lora_magnitude_vector"] = np.abs(_drawn(random, outputs)) * 5 + 0.5
    settings = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": scale * rank,
        "use_dora": is_dora,
        "bias": "none",
    }
    settings["target_modules"] = sorted({path.rpartition(".")[2] for path in changed})
    return _write(folder, "adapter_model.safetensors", arrays, settings | config)


def _write(folder: Path, file: str, arrays: Arrays, settings: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, str(folder / file))
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def _drawn(random: np.random.Generator, *shape: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    drawn: np.ndarray[Any, np.dtype[np.float32]] = (random.standard_normal(shape) * 0.15).astype(np.float32)
    return drawn
