"""A quantising process whose gate is the file `go` in the folder of its source."""

from pathlib import Path

from inference.core.conversion import ConversionStep
from inference.core.quantisation import JOB_FILE
from tests.repository.conversions.scripted_process import run

if __name__ == "__main__":
    run(ConversionStep(name="quantise", done=1, size=2), JOB_FILE, lambda job: Path(job.source_path) / "go")
