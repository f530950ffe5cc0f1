"""Reads one file's text in a process of its own: `python -m playground.file_text.process pdf`.

The file comes on standard input; one JSON object goes to standard output: its `text`, or the `problem`. Files
come from anywhere, and the libraries that read them may loop or fill the memory: then this process ends.
"""

import json
import resource
import sys
from contextlib import suppress

from playground.file_text import docx, pdf
from playground.file_text.limits import NoText

MAX_MEMORY = 1536 * 2**20  # of address space
MAX_CPU_S = 30
TOO_MUCH_MEMORY = "Reading it takes too much memory."
READERS = {"pdf": pdf.text_of, "docx": docx.text_of}


def main() -> None:
    for limit, value in ((resource.RLIMIT_AS, MAX_MEMORY), (resource.RLIMIT_CPU, MAX_CPU_S)):
        with suppress(ValueError, OSError):  # macOS has no limit of address space
            resource.setrlimit(limit, (value, value))
    content = sys.stdin.buffer.read()
    try:
        found = {"text": READERS[sys.argv[1]](content)}
    except NoText as problem:
        found = {"problem": str(problem)}
    except MemoryError:
        found = {"problem": TOO_MUCH_MEMORY}
    sys.stdout.buffer.write(json.dumps(found).encode())


if __name__ == "__main__":
    main()
