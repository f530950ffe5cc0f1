"""Renders chat templates in a process of its own: `python -m inference.worker.rendering.template_process`.

It reads jobs from standard input until that ends: a frame of pipe_frames.py with the limits, and one with the
job. It answers each with two frames on standard output: an outcome, and a text. Before the first it writes
`READY`, once its imports are done.
"""

import json
import os
import queue
import resource
import signal
import threading
from contextlib import suppress
from typing import Any, BinaryIO, Final

import jinja2

from inference.worker import pipe_frames
from inference.worker.rendering import hub_templates

_LONGEST_MESSAGE = 1000
RENDERED: Final = b"rendered"  # with what was written
RAISED: Final = b"raised"  # with the template's own message
FAILED: Final = b"failed"
TOO_LONG: Final = b"too long"
OUT_OF_MEMORY: Final = b"out of memory"


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; its input ends then
    # Whatever a library prints must not come between the frames.
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    render = hub_templates.imported()
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, jobs), daemon=True).start()
    pipe_frames.answer(target, pipe_frames.READY)
    while True:
        pipe_frames.answer(target, *_outcome(render, jobs.get()))


def _read(source: BinaryIO, jobs: "queue.SimpleQueue[bytes]") -> None:
    """Pass jobs on, and end the process with its input, also while a template loops."""
    while limits := pipe_frames.read(source):
        _limit(**json.loads(limits))
        jobs.put(pipe_frames.read(source))
    os._exit(0)


def _outcome(render: hub_templates.Render, content: bytes) -> tuple[bytes, bytes]:
    try:
        job: dict[str, Any] = json.loads(content.decode("utf-8", "surrogatepass"))
        (text,), _ = render(
            conversations=[job["messages"]],
            tools=job["tools"],
            chat_template=job["template"],
            add_generation_prompt=job["opens_answer"],
            **job["variables"],
        )
        if len(text) > job["most_text"]:
            return TOO_LONG, b""
        return RENDERED, text.encode("utf-8", "surrogatepass")
    except MemoryError:
        return OUT_OF_MEMORY, b""
    except Exception as error:  # a template is a program of unknown origin: it may fail in any way
        # raise_exception() in a template raises exactly this class; subclasses are errors in its code.
        if type(error) is not jinja2.TemplateError:
            return FAILED, b""
        return RAISED, str(error)[:_LONGEST_MESSAGE].encode("utf-8", "replace")


def _limit(memory: int, cpu_s: int) -> None:
    """Allow so much address space, and so many seconds of processor time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most_s = int(used.ru_utime + used.ru_stime) + cpu_s
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, most_s)):
        with suppress(ValueError, OSError):  # macOS has no limit of address space
            resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))


if __name__ == "__main__":
    main()
