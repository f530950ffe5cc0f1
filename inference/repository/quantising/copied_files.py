"""The files that a quantised model gets as they are: tokenizer, templates, settings, licence, model card."""

from pathlib import Path

from inference.core.quantisation import REPORT_FILE
from inference.repository.files import folder_tree

# Weights in any format, and code, which this server never runs.
_LEFT_OUT = (
    ".safetensors",
    ".bin",
    ".gguf",
    ".pt",
    ".pth",
    ".ckpt",
    ".h5",
    ".onnx",
    ".msgpack",
    ".npz",
    ".py",
)
_MADE_ANEW = frozenset({"config.json", REPORT_FILE})
_TEMPLATES = "additional_chat_templates"


def copied_files(folder: Path) -> list[Path]:
    """The paths of these files below `folder`; links to files are followed, as the hub's cache has them."""
    named = [Path(entry.path) for entry in folder_tree.entries(folder / _TEMPLATES) if entry.is_file()]
    own = [
        Path(entry.path)
        for entry in folder_tree.entries(folder)
        if entry.is_file() and _is_copied(entry.name)
    ]
    return own + [path for path in named if path.suffix == ".jinja"]


def _is_copied(name: str) -> bool:
    is_index = name.endswith(".index.json")  # of weights
    return not (name.startswith(".") or is_index or name in _MADE_ANEW or name.lower().endswith(_LEFT_OUT))
