"""Frames: what is too large is refused where it is made, for there one request is the matter."""

import asyncio

import pytest

from inference.core import protocol
from inference.core.events import TextDelta
from inference.core.protocol import FrameTooLarge, Happened, ProtocolBroken, Step, encode, read_up


def step(characters: int) -> Step:
    return Step(happened=(Happened(id=1, what=TextDelta(text="x" * characters)),))


async def read(*frames: bytes) -> protocol.Up | None:
    reader = asyncio.StreamReader()
    for frame in frames:
        reader.feed_data(frame)
    reader.feed_eof()
    return await read_up(reader)


async def test_the_largest_frame_that_is_written_is_read() -> None:
    overhead = len(encode(step(2**20))) - 4 - 2**20
    largest = step(protocol.MAX_FRAME_BYTES - overhead)
    assert await read(encode(largest)) == largest


def test_a_larger_one_is_not_written() -> None:
    with pytest.raises(FrameTooLarge):
        encode(step(protocol.MAX_FRAME_BYTES))


async def test_nor_is_it_read() -> None:
    too_long = (protocol.MAX_FRAME_BYTES + 1).to_bytes(4, "big")
    with pytest.raises(ProtocolBroken):
        await read(too_long)
