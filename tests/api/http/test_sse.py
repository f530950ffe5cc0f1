from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference.api.http import sse


def test_a_line_break_in_a_text_does_not_break_the_frame() -> None:
    frame = sse.event(msgspec.json.encode({"text": "a\n\nb\r\u2028c"}))
    assert frame.count(b"\n") == 2
    assert frame.startswith(b"data: {") and frame.endswith(b"}\n\n")


async def frames(closed: list[bool]) -> AsyncGenerator[bytes]:
    try:
        while True:
            yield sse.KEEP_ALIVE
    finally:
        closed.append(True)


async def test_proxies_must_not_hold_it_back() -> None:
    response = sse.EventStream(frames([]))
    assert response["Content-Type"] == "text/event-stream"
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-cache", "no")


async def test_whoever_stops_reading_closes_the_frames() -> None:
    closed: list[bool] = []
    async with aclosing(aiter(sse.EventStream(frames(closed)))) as received:
        await anext(received)
    assert closed == [True]
