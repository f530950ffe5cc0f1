"""What a worker writes to its standard error is in the log of the site."""

import asyncio
import os

import pytest

from inference.core.log_lines import formatter
from inference.pool.workers.child_process import _LONGEST_LINE, relay
from tests.core.test_log_lines import record


async def test_lines_are_logged_until_the_end_and_a_line_without_end_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    out, log = os.pipe()
    relaying = asyncio.create_task(relay(out, "worker[7]"))
    with os.fdopen(log, "wb") as pipe:
        pipe.write(formatter("json").format(record("it is late")).encode() + b"\n")
        pipe.write(b"libc++abi: terminating \xff\n")
        pipe.flush()
        await asyncio.to_thread(pipe.write, b"x" * (2 * _LONGEST_LINE) + b"\nthe last words")
        await asyncio.to_thread(pipe.flush)
    await asyncio.wait_for(relaying, 30)
    texts = [one.getMessage() for one in caplog.records if getattr(one, "worker", "") == "worker[7]"]
    assert texts[:2] == ["it is late", "libc++abi: terminating \N{REPLACEMENT CHARACTER}"]
    assert texts[-1].endswith("the last words") and max(map(len, texts)) <= _LONGEST_LINE
