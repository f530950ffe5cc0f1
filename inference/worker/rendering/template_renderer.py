"""Renders chat templates by a process of its own (template_process.py), and by another where that one ends.

The process limits its own memory and processor time where the system can. Where it cannot (macOS has no limit
of address space), and for time that passes without computing, it is watched from here, and killed.
"""

import json
import logging
import math
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO, Final, cast

from inference.core.errors import TemplateFailed, Unavailable
from inference.worker import pipe_frames
from inference.worker.helper_process import HelperProcess, has_answered, resident_bytes
from inference.worker.rendering import template_process

logger = logging.getLogger(__name__)
_PROGRAM = "inference.worker.rendering.template_process"
_LONGEST_REASON = 200
_LIMIT_S = 20.0  # of one rendering, where `within` sets no other
_LOOK_S = 0.02  # between two looks at its memory; in so long a program fills a few hundred megabytes
# Of memory: Python and its libraries, what a template may build, and copies of what it is given. More address
# space is reserved than used.
_LEAST_MEMORY, _PER_BYTE, _RESERVED = 2**29, 24, 2**29
_TOO_LONG: Final = "The model's chat template takes too long on these messages."
_TOO_LARGE: Final = "The model's chat template takes too much memory on these messages."
_MESSAGES: Final = {
    template_process.FAILED: "The model's chat template failed on these messages.",
    template_process.TOO_LONG: "The model's chat template wrote far more than the messages.",
    template_process.OUT_OF_MEMORY: _TOO_LARGE,
}


@dataclass(frozen=True)
class Rendering:
    """What a template is given, and how many characters it may write."""

    template: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    opens_answer: bool
    variables: Mapping[str, Any]
    most_text: int


class TemplateRenderer:
    """Renders one template at a time; thread-safe. The process starts with `start` or the first template."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = HelperProcess(_PROGRAM)
        self._until = math.inf

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid

    @contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """What is rendered in this block may take so many seconds from now on."""
        self._until = time.monotonic() + limit_s
        try:
            yield
        finally:
            self._until = math.inf

    def start(self) -> None:
        """Start the process, and do not wait for its imports; if that fails, the first template does."""
        with self._lock, suppress(Unavailable):
            self._process.start()

    def wait_ready(self) -> None:
        """Wait until the process can render; raises Unavailable or InternalError if it does not start."""
        with self._lock:
            self._process.ready()

    def render(self, rendering: Rendering) -> str:
        """The text; raises TemplateFailed where the template fails or takes too much time or memory.

        Raises Unavailable where the process does not start in time.
        """
        with self._lock:
            if time.monotonic() >= self._until:
                raise _failure(_TOO_LONG)
            process = self._process.ready(self._until)
            until = min(self._until, time.monotonic() + _LIMIT_S)
            outcome, text = self._exchange(process, rendering, until)
            if outcome == template_process.OUT_OF_MEMORY:
                self._process.restart()  # what it freed may be scattered, and count for the next template
        if outcome == template_process.RENDERED:
            return text.decode("utf-8", "surrogatepass")
        if outcome == template_process.RAISED and text:
            raise _failure(f"The model's chat template cannot take these messages: {_shortened(text)}")
        raise _failure(_MESSAGES.get(outcome, _MESSAGES[template_process.FAILED]))

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._process.close()

    def _exchange(
        self, process: "subprocess.Popen[bytes]", rendering: Rendering, until: float
    ) -> tuple[bytes, bytes]:
        """What became of it, and the text; raises TemplateFailed where the process had to be killed."""
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise _failure(_TOO_LONG)
        job = _encoded(rendering)
        memory = _LEAST_MEMORY + _PER_BYTE * len(job)
        limits = {"memory": memory + _RESERVED, "cpu_s": math.ceil(left_s) + 1}
        source, target = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
        try:
            pipe_frames.write(target, json.dumps(limits).encode())
            pipe_frames.write(target, job)
            self._watch(process, until, memory)
            outcome = pipe_frames.read(source)
            text = pipe_frames.read(source)
        except OSError:
            outcome, text = b"", b""
        if not outcome:
            logger.warning("The process that renders chat templates ended at one")
            self._process.restart()
        return outcome, text

    def _watch(self, process: "subprocess.Popen[bytes]", until: float, memory: int) -> None:
        """Wait for its answer or its end; raises TemplateFailed, with the process killed, at a limit."""
        while not has_answered(cast("BinaryIO", process.stdout), _LOOK_S):
            is_late = time.monotonic() > until
            if not is_late and resident_bytes(process.pid) <= memory:
                continue
            logger.warning("A chat template takes too %s: ending it", "long" if is_late else "much memory")
            self._process.restart()
            raise _failure(_TOO_LONG if is_late else _TOO_LARGE)


@cache
def shared() -> TemplateRenderer:
    """The renderer of this process, which has one model."""
    return TemplateRenderer()


def _encoded(rendering: Rendering) -> bytes:
    job = {
        "template": rendering.template,
        "messages": rendering.messages,
        "tools": rendering.tools or None,
        "opens_answer": rendering.opens_answer,
        "variables": rendering.variables,
        "most_text": rendering.most_text,
    }
    return json.dumps(job, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _failure(message: str) -> TemplateFailed:
    return TemplateFailed(message, param="messages")


def _shortened(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:_LONGEST_REASON]
