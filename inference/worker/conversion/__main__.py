"""The conversion: read a checked GGUF file, refuse what would come out wrong, then write the model folder.

The source has been checked by repository/gguf_import.py; what is wrong with it here ends this process only.
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
from inference.worker.conversion.facts import Facts
from inference.worker.conversion.model import config, moves, rope_factors
from inference.worker.conversion.shapes import refuse_misfits
from inference.worker.conversion.vocabulary import ends, make_tokenizer, tokenizer_config
from inference.worker.conversion.weights import quantisation, write_weights


def convert(source: Path, target: Path) -> None:
    """Write `source` as a model folder; raises ValueError naming what it cannot take, before it writes."""
    header = read_header(source, metadata=True)
    facts, architecture = Facts(header.architecture, header.metadata), ARCHITECTURES[header.architecture]
    moved = moves(header.tensors, architecture, facts)
    tokenizer, settings = make_tokenizer(facts), tokenizer_config(facts)
    settled = config(architecture, facts, moved, rope_factors(source, header.tensors)) | quantisation(moved)
    refuse_misfits({move.name: move.stored for move in moved}, settled)
    target.mkdir(parents=True, exist_ok=True)
    write_weights(source, target / "model.safetensors", moved)
    tokenizer.save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", settings)
    _write(target / "generation_config.json", {"eos_token_id": ends(facts)})
    # Last: a folder without config.json is not listed as a model.
    _write(target / "config.json", settled)


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
    except OSError as error:  # a full disk above all
        raise SystemExit(f"it cannot be written: {error.strerror}") from error
    except Exception as error:  # of numpy or tokenizers, about shapes and internals
        raise SystemExit(f"its parts do not fit together ({type(error).__name__})") from error


def _end_with_the_parent() -> None:
    """The parent holds the other end of standard input and never writes to it."""
    # Not sys.stdin: its lock, held here, would be waited for at exit.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
