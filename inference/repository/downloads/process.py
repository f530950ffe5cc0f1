"""One download as a process of its own: `python -m inference.repository.downloads.process ID TARGET`.

It writes its progress to standard output, a JSON line each time, and last how it ended. Standard input is a
pipe that the parent holds open: when that ends, so does this process, and with it the only writer.
"""

import argparse
import os
import sys
import threading
from pathlib import Path

import msgspec

from inference.repository.downloads.errors import FetchFailed, NotAModel, NotOnHub
from inference.repository.downloads.hub import download
from inference.repository.downloads.progress import FetchProgress


class Ending(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The last line; `failure` is empty when the download succeeded."""

    failure: str = ""
    is_final: bool = False  # another try would fail in the same way


Line = FetchProgress | Ending


def _write_line(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_the_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.repository.downloads.process")
    parser.add_argument("id")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        download(arguments.id, arguments.target, _write_line)
    except FetchFailed as error:
        _write_line(Ending(failure=str(error), is_final=isinstance(error, NotOnHub | NotAModel)))
        return
    _write_line(Ending())


if __name__ == "__main__":
    main()
