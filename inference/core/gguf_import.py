"""Importing a GGUF file: what its process is given and what it writes."""

from inference.core.conversion import ConversionEnding, ConversionJob, ConversionProgress

JOB_FILE = ".importing"  # in the draft of a model that is being imported


class ImportJob(ConversionJob, frozen=True, kw_only=True):
    """What the process is given."""


ImportLine = ConversionProgress | ConversionEnding[None]
