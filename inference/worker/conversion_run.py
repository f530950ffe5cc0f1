"""What processes that make a model folder have in common: `python -m MODULE JOB`, a JSON object.

They write their progress to standard output, a JSON line each time, and last how it ended. Standard input is
a pipe that the parent holds open: when that ends, the process deletes what it made, and ends.
"""

import argparse
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from inference.core.conversion import ConversionEnding, ConversionJob, ConversionProgress
from inference.repository.files import folder_tree, staging

_NICENESS = 10  # models that are asked meanwhile go first

J = TypeVar("J", bound=ConversionJob)
OnProgress = Callable[[ConversionProgress], None]


def run(
    module: str, kind: type[J], job_file: str, make: Callable[[J, OnProgress], ConversionEnding[Any]]
) -> None:
    """Read the job of this process, and make its model with `make`, which says how it ended.

    `job_file` is the file of the draft that tells of the job; it stays if a note is to be left.
    """
    parser = argparse.ArgumentParser(prog=module)
    parser.add_argument("job", type=lambda text: msgspec.json.decode(text, type=kind))
    parser.add_argument("--leave-note", action="store_true", help="leave an empty draft if the parent ends")
    options = parser.parse_args()
    job: J = options.job
    end = (Path(job.target_path), job_file if options.leave_note else "")
    threading.Thread(target=_end_with_the_parent, args=end, daemon=True).start()
    os.nice(max(0, _NICENESS - os.nice(0)))
    lines = os.dup(1)
    os.dup2(2, 1)  # libraries print as they go

    def write_line(line: ConversionProgress | ConversionEnding[Any]) -> None:
        os.write(lines, msgspec.json.encode(line) + b"\n")

    write_line(make(job, write_line))


def _end_with_the_parent(target: Path, note: str) -> None:
    """Wait for the end of standard input; then delete the draft, but for the file that tells of it."""
    # Not sys.stdin: the interpreter would wait for its lock at exit.
    os.read(0, 1)
    try:
        _delete(staging.draft_of(target), note)
    finally:
        os._exit(1)


def _delete(draft: Path, note: str) -> None:
    if not note:
        return folder_tree.remove(draft)
    while made := [one for one in folder_tree.entries(draft) if one.name != note and _is_file(one)]:
        for entry in made:  # the job goes on writing meanwhile
            Path(entry.path).unlink(missing_ok=True)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False)
