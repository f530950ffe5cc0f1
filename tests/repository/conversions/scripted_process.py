"""A process that makes a model and whose end a test decides: it waits for a file, the gate.

What is in that file is why it fails; an empty one lets it succeed.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from inference.core.conversion import ConversionEnding, ConversionJob, ConversionProgress, ConversionStep
from inference.repository.files import staging


def write(line: ConversionProgress | ConversionEnding[Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def run(step: ConversionStep, job_file: str, gate_of: Callable[[ConversionJob], Path]) -> None:
    job = msgspec.json.decode(sys.argv[1], type=ConversionJob)
    gate = gate_of(job)
    with staging.staged(Path(job.target_path)) as draft:
        (draft / job_file).touch()
        (draft / "model.safetensors").write_bytes(b"half")
        write(ConversionProgress(steps=(step,)))
        while not gate.exists():
            time.sleep(0.02)
        if failure := gate.read_text():
            write(ConversionEnding(failure=failure))
            raise SystemExit
        (draft / job_file).unlink()
    write(ConversionEnding())
