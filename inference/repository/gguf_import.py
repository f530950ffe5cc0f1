"""GGUF files as a source: converted in a process of their own, served as safetensors."""

from pathlib import Path

from inference.repository.conversion_process import ConversionFailed, ConversionProcess
from inference.repository.files.gguf import Header, ImportRefused, read_header
from inference.repository.files.staging import staged

__all__ = ["ARCHITECTURES", "ImportRefused", "check", "import_gguf"]

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3")


def import_gguf(source: Path, target: Path) -> None:
    """Make the model folder `target` of a GGUF file; ImportRefused, and no target, when that cannot be."""
    check(source)
    try:
        with staged(target) as draft:
            _convert(source, draft)
    except FileExistsError:
        raise ImportRefused(f"There is a model named {target.name} already.") from None
    except BlockingIOError:
        raise ImportRefused(f"{target.name} is being imported already.") from None
    except OSError as error:
        raise ImportRefused(f"{target.name} cannot be written: {error.strerror}.") from error


def check(source: Path) -> Header:
    """Read the whole header of a file; ImportRefused unless all of it is sound and supported."""
    header = read_header(source)
    if header.architecture not in ARCHITECTURES:
        raise ImportRefused(
            f"Models of the architecture {header.architecture[:40]!r} cannot be imported; "
            f"{', '.join(ARCHITECTURES)} can."
        )
    return header


def _convert(source: Path, draft: Path) -> None:
    try:
        ConversionProcess("inference.worker.conversion", str(source), str(draft)).run()
    except ConversionFailed as error:
        raise ImportRefused(f"{source.name} cannot be converted: {error}") from None
