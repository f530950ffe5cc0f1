"""GGUF files as a source: converted in a process of their own, served as safetensors."""

from pathlib import Path

import msgspec

from inference.core.conversion import ConversionEnding
from inference.core.gguf_import import GgufImportJob, ImportLine
from inference.repository.conversion_process import ConversionFailed, ConversionProcess
from inference.repository.conversions.drafts import discard
from inference.repository.files.gguf import GgufHeader, ImportRefused, read_header

__all__ = ["ARCHITECTURES", "ImportRefused", "Unsupported", "check", "import_gguf"]

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3")


class Unsupported(ImportRefused):
    """The file is sound, and of an architecture that cannot be imported; it has the header."""

    def __init__(self, header: GgufHeader) -> None:
        super().__init__(
            f"Models of the architecture {header.architecture[:40]!r} cannot be imported; "
            f"{', '.join(ARCHITECTURES)} can."
        )
        self.header = header


def import_gguf(source: Path, target: Path) -> None:
    """Make the model folder `target` of a GGUF file; ImportRefused, and no target, when that cannot be."""
    check(source)
    job = GgufImportJob(
        source=source.name,
        source_path=str(source.absolute()),
        name=target.name,
        target_path=str(target.absolute()),
    )
    try:
        _run(job)
    finally:
        discard(target)  # left by a process that was killed


def check(source: Path) -> GgufHeader:
    """Read the whole header of a file; ImportRefused unless all of it is sound and supported."""
    header = read_header(source)
    if header.architecture not in ARCHITECTURES:
        raise Unsupported(header)
    return header


def _run(job: GgufImportJob) -> None:
    ending = ConversionEnding[None](
        failure=f"{job.source} cannot be converted: its process ended unexpectedly."
    )

    def on_line(line: bytes) -> None:
        nonlocal ending
        message = msgspec.json.decode(line, type=ImportLine)
        if isinstance(message, ConversionEnding):
            ending = message

    try:
        ConversionProcess("inference.worker.conversion", msgspec.json.encode(job).decode()).run(on_line)
    except ConversionFailed as error:
        raise ImportRefused(f"{job.source} cannot be converted: {error}") from None
    if ending.failure:
        raise ImportRefused(ending.failure)
