"""The process that decodes: what it answers, and the limits that it gives itself."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from inference.core.config import BASE_DIR
from inference.core.requests import Picture
from inference.worker import pipe_frames
from inference.worker.vision.decoding_process import Decoded
from tests.tiny_vision import drawn, picture

COMMAND = [sys.executable, "-m", "inference.worker.vision.decoding_process"]
ONE, TWO = picture(drawn(20, 10)), picture(drawn(7, 9), "JPEG")
BROKEN = Picture(data=b"GIF89a", media_type="image/gif", width=1, height=1)


def answers(*pictures: Picture) -> list[bytes]:
    asked = BytesIO()
    for one in pictures:
        pipe_frames.write(asked, msgspec.msgpack.encode(one))
    done = subprocess.run(COMMAND, cwd=BASE_DIR, input=asked.getvalue(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = BytesIO(done.stdout)
    return list(iter(lambda: pipe_frames.read(said), b""))


def test_it_answers_each_picture_with_its_size_and_pixels_and_ends_with_its_input() -> None:
    ready, first, pixels, problem, third, others = answers(ONE, BROKEN, TWO)
    assert ready == pipe_frames.READY
    assert msgspec.msgpack.decode(first, type=Decoded) == Decoded(20, 10)
    assert pixels == drawn(20, 10).tobytes() and len(others) == 7 * 9 * 3
    assert msgspec.msgpack.decode(problem, type=Decoded).problem.startswith("Could not process image: ")
    assert msgspec.msgpack.decode(third, type=Decoded) == Decoded(7, 9)


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux shows limits")
def test_it_allows_itself_what_a_picture_may_take() -> None:
    process = subprocess.Popen(COMMAND, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    with process:
        pipe_frames.write(process.stdin, msgspec.msgpack.encode(ONE))  # type: ignore[arg-type]
        assert pipe_frames.read(process.stdout) == pipe_frames.READY  # type: ignore[arg-type]
        assert pipe_frames.read(process.stdout)  # type: ignore[arg-type]
        rows = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        process.stdin.close()
    limits = {row[:25].strip(): row[26:].split()[0] for row in rows}
    assert int(limits["Max address space"]) == 2**30 + 20 * 10 * 24
    assert 30 <= int(limits["Max cpu time"]) < 40
