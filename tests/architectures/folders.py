"""A model folder of an architecture, as a worker loads it."""

import json
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten

from tests.architectures import configs
from tests.tiny import make_tiny_model


def write(name: str, folder: Path, **changes: object) -> Path:
    """The tiny model of this architecture behind the tiny tokenizer; `changes` are fields of its config."""
    make_tiny_model(folder)
    weights = dict(tree_flatten(configs.make(name).parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    own = json.loads((folder / "config.json").read_text())
    kept = {"eos_token_id": own["eos_token_id"]}
    (folder / "config.json").write_text(json.dumps(configs.config(name) | kept | changes))
    return folder
