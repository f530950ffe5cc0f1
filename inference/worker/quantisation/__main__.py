"""The quantising process: `python -m inference.worker.quantisation JOB`, a JSON object.

It writes its progress to standard output, a JSON line each time, and last how it ended. Standard input is a
pipe that the parent holds open: when that ends, this process deletes what it made, and ends.
"""

import argparse
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from inference.core import blas, disk_space
from inference.core.quantisation import (
    JOB_FILE,
    QuantisationEnding,
    QuantisationJob,
    QuantisationLine,
    QuantisationProgress,
)
from inference.repository.files import folder_tree, staging
from inference.worker.blas_threads import BlasThreads, follow_load
from inference.worker.product_check import multiplies

_NICENESS = 10  # models that are asked meanwhile go first


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.quantisation")
    parser.add_argument("job", type=lambda text: msgspec.json.decode(text, type=QuantisationJob))
    parser.add_argument("--leave-note", action="store_true", help="leave an empty draft if the parent ends")
    options = parser.parse_args()
    job: QuantisationJob = options.job
    end = (Path(job.target_path), options.leave_note)
    threading.Thread(target=_end_with_the_parent, args=end, daemon=True).start()
    os.nice(max(0, _NICENESS - os.nice(0)))
    lines = os.dup(1)
    os.dup2(2, 1)  # mlx-lm prints as it goes

    def write_line(line: QuantisationLine) -> None:
        os.write(lines, msgspec.json.encode(line) + b"\n")

    write_line(_ending(job, write_line))


def _ending(job: QuantisationJob, on_progress: Callable[[QuantisationProgress], None]) -> QuantisationEnding:
    """Quantise, and turn whatever goes wrong into a text for the model's owner."""
    used = blas.preload_best(job.blas, multiplies)
    if threads := follow_load(used.path) if used.path else None:
        threading.Thread(target=_adjust, args=(threads,), daemon=True).start()
    # Not before the BLAS is there: it imports MLX.
    from inference.worker.model.load_failure import RefusedModel, failure_reason
    from inference.worker.quantisation.quantise import DiskTooFull, quantise

    try:
        return QuantisationEnding(report=quantise(job, on_progress))
    except DiskTooFull as error:
        failure = str(error)
    except FileExistsError:
        failure = f"There is a model named {job.name} already."
    except BlockingIOError:
        failure = f"{job.name} is being made already."
    except RefusedModel as error:
        failure = f"{job.source} cannot be quantised: {error}."
    except OSError as error:
        failure = f"{job.name} cannot be written: {error.strerror}."
    except Exception as error:  # the boundary: from mlx-lm, about files of unknown origin
        logging.getLogger(__name__).exception("Quantising %s", job.source)
        failure = f"{job.source} cannot be quantised: {failure_reason(error)}."
        if disk_space.is_full(Path(job.target_path)) or "write" in str(error):
            failure = f"{job.name} cannot be written: is the disk full?"
    return QuantisationEnding(failure=failure)


def _adjust(threads: BlasThreads) -> None:
    """Leave cores that other programs need to them."""
    while True:
        threads.adjust()
        time.sleep(1)


def _end_with_the_parent(target: Path, leaves_note: bool) -> None:
    """Wait for the end of standard input; then delete the draft, but for the file that tells of it."""
    os.read(0, 1)
    draft = staging.draft_of(target)
    if leaves_note:
        for entry in folder_tree.entries(draft):
            if entry.name != JOB_FILE and entry.is_file(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
    else:
        folder_tree.remove(draft)
    os._exit(1)


if __name__ == "__main__":
    main()
