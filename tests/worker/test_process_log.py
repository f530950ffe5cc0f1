"""A process whose thread dies ends, with the status of the error, and logs it as a line of JSON."""

import json
import subprocess
import sys

import pytest

from inference.core.config import BASE_DIR

DYING = """
import threading, time
from inference.worker import process_log
process_log.begin({KeyError: 77})
def fail():
    raise NAME("why")
threading.Thread(target=fail, name="engine").start()
time.sleep(20)
"""


@pytest.mark.parametrize(("name", "code"), [("KeyError", 77), ("ValueError", 70)])
def test_the_end_of_a_thread_ends_the_process(name: str, code: int) -> None:
    command = [sys.executable, "-c", DYING.replace("NAME", name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=BASE_DIR, check=False)
    assert done.returncode == code
    line = json.loads(done.stderr.splitlines()[-1])
    assert "The engine thread died" in json.dumps(line)
