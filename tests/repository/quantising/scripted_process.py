"""A quantising process whose end a test decides: it waits for the file `go` in the folder of its source.

What is in that file is why it fails; an empty one lets it succeed.
"""

import sys
import time
from pathlib import Path

import msgspec

from inference.core.quantisation import (
    JOB_FILE,
    QuantisationEnding,
    QuantisationJob,
    QuantisationLine,
    QuantisationProgress,
    QuantisationStep,
)
from inference.repository.files import staging


def write(line: QuantisationLine) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    job = msgspec.json.decode(sys.argv[1], type=QuantisationJob)
    gate = Path(job.source_path) / "go"
    with staging.staged(Path(job.target_path)) as draft:
        (draft / JOB_FILE).touch()
        (draft / "model.safetensors").write_bytes(b"half")
        write(QuantisationProgress(steps=(QuantisationStep(name="quantise", done=1, size=2),)))
        while not gate.exists():
            time.sleep(0.02)
        if failure := gate.read_text():
            write(QuantisationEnding(failure=failure))
            raise SystemExit
        (draft / JOB_FILE).unlink()
    write(QuantisationEnding())


if __name__ == "__main__":
    main()
