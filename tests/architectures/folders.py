"""A model folder of an architecture, as a worker loads it."""

import json
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from tests.architectures import configs
from tests.tiny import make_tiny_model


def write(name: str, folder: Path, model: nn.Module | None = None, **changes: object) -> Path:
    """The tiny model of this architecture behind the tiny tokenizer; `changes` are fields of its config.

    A `model` that these changes have another shape of weights for is given with them.
    """
    make_tiny_model(folder)
    weights = dict(tree_flatten((model or configs.make(name)).parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    own = json.loads((folder / "config.json").read_text())
    kept = {"eos_token_id": own["eos_token_id"]}
    (folder / "config.json").write_text(json.dumps(configs.config(name) | kept | changes))
    return folder
