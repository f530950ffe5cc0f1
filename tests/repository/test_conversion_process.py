import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from inference.repository.conversion_process import ConversionFailed, ConversionProcess

MODULE = "tests.repository.conversion_script"


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if MODULE in " ".join(child.cmdline())]


def test_each_line_is_given_as_it_comes() -> None:
    lines: list[bytes] = []
    ConversionProcess(MODULE, "print").run(lines.append)
    assert lines == [b"one\n", b"two\n"]


def test_a_failure_is_its_last_line() -> None:
    with pytest.raises(ConversionFailed, match=r"^the file is broken$"):
        ConversionProcess(MODULE, "fail").run()


def test_much_on_standard_error_does_not_block_it() -> None:
    with pytest.raises(ConversionFailed, match="^x+$"):
        ConversionProcess(MODULE, "babble").run()


def test_a_silent_end_is_told_with_its_status() -> None:
    with pytest.raises(ConversionFailed, match="the process ended with status 3"):
        ConversionProcess(MODULE, "leave").run()


def test_it_is_killed_from_another_thread() -> None:
    process = ConversionProcess(MODULE, "wait")
    lines: list[bytes] = []

    def on_line(line: bytes) -> None:
        lines.append(line)
        threading.Thread(target=process.kill).start()

    with pytest.raises(ConversionFailed, match="status -9"):
        process.run(on_line)
    assert lines and children() == []


def test_one_that_was_killed_before_does_not_begin() -> None:
    process = ConversionProcess(MODULE, "wait")
    process.kill()
    with pytest.raises(ConversionFailed, match="stopped before it began"):
        process.run()


def test_an_error_of_the_listener_ends_it() -> None:
    def stop(line: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ConversionProcess(MODULE, "wait").run(stop)
    assert children() == []


def test_it_sees_the_end_of_its_parent(tmp_path: Path) -> None:
    """Its standard input ends when the process that started it is gone."""
    program = (
        "import os; from inference.repository.conversion_process import ConversionProcess as P;"
        f"P({MODULE!r}, 'leash', {str(tmp_path / 'seen')!r}).run(lambda line: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    end = time.monotonic() + 60
    while not (tmp_path / "seen").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
