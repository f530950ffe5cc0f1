import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.core.errors import UpstreamFailed
from inference.upstreams.event_lines import MOST_BYTES, EventLines

BODY = (
    ": a comment\r\n"
    "event: message\r\ndata: one\r\n\r\n"
    "data:two\ndata: lines\n\n"
    "id: 7\nretry: 5\n\n\n"
    "data\n\n"
    "data: three\r\rdata: ümläut\n\n"
    "data: no end"
).encode()
EVENTS = ["one", "two\nlines", "", "three", "ümläut", "no end"]


def read(*pieces: bytes) -> list[str]:
    lines = EventLines()
    found = [data for piece in pieces for data in lines.feed(piece)]
    return [*found, *lines.end()]


@given(st.lists(st.integers(0, len(BODY)), max_size=20))
def test_every_split_of_the_bytes_gives_the_same_events(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(BODY)]
    assert read(*(BODY[a:b] for a, b in zip(ends, ends[1:], strict=False))) == EVENTS


def test_what_is_no_utf8_is_replaced() -> None:
    assert read(b"data: \xff\n\n") == ["\ufffd"]


@pytest.mark.parametrize("line", [b"data: " + b"x" * MOST_BYTES, b"data: x\n" * (MOST_BYTES + 1)])
def test_an_event_has_a_largest_size(line: bytes) -> None:
    with pytest.raises(UpstreamFailed, match="too large"):
        read(line, b"x")
