"""The conversion process: reads a GGUF file, refuses what cannot be converted, writes a model folder.

The source has been checked by repository/gguf_import.py; an error in it ends this process only.
Standard input is a pipe that the parent holds open.
"""

import argparse
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.repository.files.gguf import ImportRefused, read_header
from inference.worker.conversion.architectures import ARCHITECTURES
from inference.worker.conversion.metadata import Metadata
from inference.worker.conversion.model import config, rope_factors, tensor_moves
from inference.worker.conversion.shapes import check_shapes
from inference.worker.conversion.vocabulary import eos_ids, make_tokenizer, tokenizer_config
from inference.worker.conversion.weights import quantisation, write_weights


def convert(source: Path, target: Path) -> None:
    """Convert a GGUF file into a model folder.

    1. Read the header; find the place of each tensor, the tokenizer and config.json.
    2. Check the shapes of the tensors against config.json.
    3. Write the weights slab by slab, then the tokenizer, and config.json last.

    Raises ValueError, before anything is written, for what cannot be converted; OSError for a full disk.
    """
    header = read_header(source, metadata=True)
    metadata, architecture = (
        Metadata(header.architecture, header.metadata),
        ARCHITECTURES[header.architecture],
    )
    moved = tensor_moves(header.tensors, architecture, metadata)
    tokenizer, settings = make_tokenizer(metadata), tokenizer_config(metadata)
    model_config = config(architecture, metadata, moved, rope_factors(source, header.tensors)) | quantisation(
        moved
    )
    check_shapes({move.name: move.stored for move in moved}, model_config)
    target.mkdir(parents=True, exist_ok=True)
    write_weights(source, target / "model.safetensors", moved)
    tokenizer.save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", settings)
    _write(target / "generation_config.json", {"eos_token_id": eos_ids(metadata)})
    # A folder without config.json is not listed as a model.
    _write(target / "config.json", model_config)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.conversion")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        convert(arguments.source, arguments.target)
    except (ValueError, ImportRefused) as error:
        raise SystemExit(str(error)) from None
    except OSError as error:  # usually a full disk
        raise SystemExit(f"it cannot be written: {error.strerror}") from error
    except Exception as error:  # from numpy or tokenizers, about shapes and internals
        raise SystemExit(f"its parts do not fit together ({type(error).__name__})") from error


def _end_with_the_parent() -> None:
    """The parent holds the other end of standard input and never writes to it."""
    # Not sys.stdin: the interpreter would wait for its lock at exit.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
