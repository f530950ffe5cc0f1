"""Frames on a pipe are whole or not there."""

from io import BytesIO

import pytest

from inference.worker import pipe_frames
from tests.each import each


@pytest.mark.parametrize("content", [b"abc", b"x" * 70_000])
def test_frames_come_one_after_the_other(content: bytes) -> None:
    pipe = BytesIO()
    pipe_frames.write(pipe, content)
    pipe_frames.write(pipe, b"next")
    pipe.seek(0)
    assert [pipe_frames.read(pipe), pipe_frames.read(pipe), pipe_frames.read(pipe)] == [content, b"next", b""]


@each("cut", [0, 2, 4, 6])
def test_a_pipe_that_ends_in_a_frame_has_none(cut: int) -> None:
    pipe = BytesIO()
    pipe_frames.write(pipe, b"abc")
    assert pipe_frames.read(BytesIO(pipe.getvalue()[:cut])) == b""
