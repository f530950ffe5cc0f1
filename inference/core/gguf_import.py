"""GGUF files: how one that is uploaded is identified, and what the process of an import reads and writes."""

from msgspec import Struct

from inference.core.conversion import ConversionEnding, ConversionJob, ConversionProgress

JOB_FILE = ".importing"  # in the draft of a model that is being imported
MOST_BYTES = 500 * 10**9  # of a file that is uploaded


class FileIdentity(Struct, frozen=True, kw_only=True):
    """Which file it is: its name, its bytes, and its last change in milliseconds since the epoch."""

    name: str
    size: int
    modified: int


class GgufImportJob(ConversionJob, frozen=True, kw_only=True):
    """What the process is given."""


ImportLine = ConversionProgress | ConversionEnding[None]
