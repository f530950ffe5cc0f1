"""An importing process whose gate is a file beside its source: `x.gguf.go` for `x.gguf`."""

from pathlib import Path

from inference.core.conversion import ConversionStep
from inference.core.gguf_import import JOB_FILE
from tests.repository.conversions.scripted_process import run

SCRIPTED = "tests.repository.importing.scripted_process"

if __name__ == "__main__":
    run(ConversionStep(name="import", done=1, size=2), JOB_FILE, lambda job: Path(f"{job.source_path}.go"))
