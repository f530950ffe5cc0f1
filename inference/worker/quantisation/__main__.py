"""The quantising process; worker/conversion_run.py has what it reads and writes."""

import logging
import threading
import time
from pathlib import Path

from inference.core import blas, disk_space
from inference.core.conversion import ConversionEnding
from inference.core.quantisation import JOB_FILE, QuantisationJob, QuantisationReport
from inference.worker import conversion_run
from inference.worker.blas_threads import BlasThreads, follow_load
from inference.worker.conversion_run import OnProgress
from inference.worker.product_check import multiplies


def main() -> None:
    conversion_run.run("inference.worker.quantisation", QuantisationJob, JOB_FILE, _ending)


def _ending(job: QuantisationJob, on_progress: OnProgress) -> ConversionEnding[QuantisationReport]:
    """Quantise, and turn whatever goes wrong into a text for the model's owner."""
    used = blas.preload_best(job.blas, multiplies)
    if threads := follow_load(used.path) if used.path else None:
        threading.Thread(target=_adjust, args=(threads,), daemon=True).start()
    # Not before the BLAS is there: it imports MLX.
    from inference.worker.model.load_failure import RefusedModel, failure_reason
    from inference.worker.quantisation.quantise import DiskTooFull, quantise

    try:
        return ConversionEnding(report=quantise(job, on_progress))
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
    return ConversionEnding(failure=failure)


def _adjust(threads: BlasThreads) -> None:
    """Leave cores that other programs need to them."""
    while True:
        threads.adjust()
        time.sleep(1)


if __name__ == "__main__":
    main()
