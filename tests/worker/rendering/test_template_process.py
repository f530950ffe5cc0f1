"""The program that renders: what it answers, the limits that it gives itself, and how it ends."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest

from inference.core.config import BASE_DIR
from inference.worker import pipe_frames
from inference.worker.rendering import template_process

COMMAND = [sys.executable, "-m", "inference.worker.rendering.template_process"]
LIMITS = {"memory": 2**30, "cpu_s": 30}
Process = subprocess.Popen[bytes]


@pytest.fixture
def process() -> Iterator[Process]:
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, cwd=BASE_DIR, stdin=pipe, stdout=pipe) as process:
        yield process
        process.kill()


def send(process: Process, template: str, **limits: int) -> None:
    job: dict[str, Any] = {"template": template, "messages": [{"role": "user", "content": "hi"}]}
    job |= {"tools": None, "opens_answer": True, "variables": {}, "most_text": 1000}
    for frame in (LIMITS | limits, job):
        pipe_frames.write(process.stdin, json.dumps(frame).encode())  # type: ignore[arg-type]


def read(process: Process) -> bytes:
    return pipe_frames.read(process.stdout)  # type: ignore[arg-type]


def test_it_says_when_it_is_ready_and_what_became_of_each_job(process: Process) -> None:
    for template in ("{{ messages[0].content }}", "{{ raise_exception('no ' * 999) }}", "{{ 1 / 0 }}"):
        send(process, template)
    assert read(process) == pipe_frames.READY
    assert (read(process), read(process)) == (template_process.RENDERED, b"hi")
    outcome, own = read(process), read(process)
    assert outcome == template_process.RAISED and own.startswith(b"no no") and len(own) == 1000
    assert (read(process), read(process)) == (template_process.FAILED, b"")


def test_only_raise_exception_raises_the_plain_error() -> None:
    # What it relies on: the errors of jinja2 itself are subclasses.
    assert jinja2.TemplateSyntaxError.__mro__[1] is jinja2.TemplateError
    assert issubclass(jinja2.UndefinedError, jinja2.TemplateRuntimeError)


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux shows limits")
def test_it_allows_itself_what_a_job_may_take(process: Process) -> None:
    send(process, "x", memory=2**30 + 4096, cpu_s=40)
    assert [read(process) for _ in range(3)][-1] == b"x"
    rows = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    limits = {row[:25].strip(): row[26:].split()[0] for row in rows}
    assert int(limits["Max address space"]) == 2**30 + 4096
    assert 40 <= int(limits["Max cpu time"]) < 60


def test_it_ends_with_its_input_while_a_template_loops(process: Process) -> None:
    assert read(process) == pipe_frames.READY
    send(process, "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    time.sleep(0.5)
    assert process.poll() is None and process.stdin
    process.stdin.close()
    assert process.wait(20) == 0


def test_it_ends_without_a_traceback_where_nobody_reads_its_answers() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, cwd=BASE_DIR, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout and process.stderr
        process.stdout.close()  # as when the worker is killed while it starts
        assert process.wait(60) == 0
        assert process.stderr.read() == b""
