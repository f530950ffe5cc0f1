"""The conversion process: reads a GGUF file, refuses what cannot be converted, writes a model folder.

The source has been checked by repository/gguf_import.py; an error in it ends this process only.
worker/conversion_run.py has what it reads and writes.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from inference.core.conversion import ConversionEnding, ConversionProgress, ConversionStep
from inference.core.gguf_import import JOB_FILE, GgufImportJob
from inference.repository.files import staging
from inference.repository.files.gguf import ImportRefused, read_header
from inference.worker import conversion_run
from inference.worker.conversion.architectures import ARCHITECTURES
from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.model import config, rope_factors, tensor_moves
from inference.worker.conversion.shapes import check_shapes
from inference.worker.conversion.vocabulary import eos_ids, make_tokenizer, tokenizer_config
from inference.worker.conversion.weights import quantisation, write_weights
from inference.worker.conversion_run import OnProgress


def convert(source: Path, target: Path, on_progress: OnProgress) -> None:
    """Convert a GGUF file into a model folder, which is there; `on_progress` gets the bytes of its weights.

    1. Read the header; find the place of each tensor, the tokenizer and config.json.
    2. Check the shapes of the tensors against config.json.
    3. Write the weights slab by slab, then the tokenizer, and config.json last.

    Raises ValueError, before anything is written, for what cannot be converted; OSError for a full disk.
    """
    header = read_header(source, metadata=True)
    metadata, architecture = (
        GgufMetadata(header.architecture, header.metadata),
        ARCHITECTURES[header.architecture],
    )
    moved = tensor_moves(header.tensors, architecture, metadata)
    tokenizer, settings = make_tokenizer(metadata), tokenizer_config(metadata)
    model_config = config(architecture, metadata, moved, rope_factors(source, header.tensors)) | quantisation(
        moved
    )
    check_shapes({move.name: move.stored for move in moved}, model_config)
    write_weights(source, target / "model.safetensors", moved, _reporting(on_progress))
    tokenizer.save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", settings)
    _write(target / "generation_config.json", {"eos_token_id": eos_ids(metadata)})
    # A folder without config.json is not listed as a model.
    _write(target / "config.json", model_config)


def _reporting(on_progress: OnProgress) -> Callable[[int, int], None]:
    def report(done: int, size: int) -> None:
        on_progress(ConversionProgress(steps=(ConversionStep(name="import", done=done, size=size),)))

    return report


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))


def main() -> None:
    conversion_run.run("inference.worker.conversion", GgufImportJob, JOB_FILE, _ending)


def _ending(job: GgufImportJob, on_progress: OnProgress) -> ConversionEnding[None]:
    """Convert in a hidden draft, and turn whatever goes wrong into a text for the model's owner."""
    source, target = Path(job.source_path), Path(job.target_path)
    try:
        with staging.staged(target) as draft:
            (draft / JOB_FILE).write_bytes(msgspec.json.encode(job))
            convert(source, draft, on_progress)
            (draft / JOB_FILE).unlink()
        return ConversionEnding()
    except FileExistsError:
        failure = f"There is a model named {job.name} already."
    except BlockingIOError:
        failure = f"{job.name} is being imported already."
    except (ValueError, ImportRefused) as error:
        failure = f"{job.source} cannot be converted: {error}"
    except OSError as error:  # usually a full disk
        failure = f"{job.name} cannot be written: {error.strerror}."
    except Exception as error:  # the boundary: from numpy or tokenizers, about shapes and internals
        failure = f"{job.source} cannot be converted: its parts do not fit together ({type(error).__name__})"
    return ConversionEnding(failure=failure)


if __name__ == "__main__":
    main()
