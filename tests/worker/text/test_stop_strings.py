"""Stop strings are found however the text is cut into pieces."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from inference.worker.text.stop_strings import StopStrings


def cut(text: str, stops: Sequence[str], sizes: Sequence[int]) -> tuple[str, bool]:
    """What is shown of a text fed in pieces of these sizes, and whether a stop was met."""
    cutter, shown, rest = StopStrings(stops), "", text
    for size in [*sizes, len(text)]:
        piece, rest = rest[:size], rest[size:]
        shown += cutter.feed(piece)
        if cutter.has_matched:
            return shown, True
    return shown + cutter.flush(), False


@given(
    st.text("ab.", max_size=20),
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(1, 4), max_size=20),
)
def test_any_cut_stops_at_the_same_place(text: str, stops: list[str], sizes: list[int]) -> None:
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    expected = (text[: min(ends)[1]], True) if ends else (text, False)
    assert cut(text, stops, sizes) == expected


def test_only_what_may_become_a_stop_is_held_back() -> None:
    stops = StopStrings(["STOP"])
    assert [stops.feed(piece) for piece in ("abcS", "T", "x")] == ["abc", "", "STx"]
