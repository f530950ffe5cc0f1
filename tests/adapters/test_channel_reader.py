"""The reader gives the same channels however its text is cut."""

import re

from hypothesis import given
from hypothesis import strategies as st

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.piece import Piece

THINK = ("<think>", "</think>")
BLOCK = re.compile(r"(?:\A\n*)?<think>\n*(.*?)(?:\n*</think>\n*|\Z)", re.DOTALL)
TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<th", "</thi", "<", "/", ">", "think", "a", "é", "😀", "\n"]),
    max_size=12,
).map("".join)


def read(text: str, cuts: list[int], starts_inside: bool = False) -> dict[str, str]:
    """Each channel's joined text, with `text` fed in pieces that end at the cuts."""
    reader = ChannelReader(reasoning=THINK, starts_inside=starts_inside)
    edges = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    pieces: list[Piece] = []
    for start, end in zip(edges, edges[1:], strict=False):
        pieces += reader.feed(text[start:end])
    pieces += reader.flush()
    return {
        channel: "".join(piece.text for piece in pieces if piece.channel == channel)
        for channel in ("text", "reasoning")
    }


@given(TEXTS, st.lists(st.integers(0, 80)), st.booleans())
def test_any_cut_gives_the_same_channels(text: str, cuts: list[int], starts_inside: bool) -> None:
    assert read(text, cuts, starts_inside) == read(text, [], starts_inside)


@given(TEXTS, st.lists(st.integers(0, 80)))
def test_every_character_is_in_its_channel_or_a_marker_or_a_break_beside_one(
    text: str, cuts: list[int]
) -> None:
    assert read(text, cuts) == {
        "text": BLOCK.sub("", text),
        "reasoning": "".join(block[1] for block in BLOCK.finditer(text)),
    }


def test_reasoning_and_answer_are_distinguished() -> None:
    assert read("<think>2+2</think>4", []) == {"reasoning": "2+2", "text": "4"}


def test_reasoning_that_never_ends_is_all_reasoning() -> None:
    assert read("<think>well, ", []) == {"reasoning": "well, ", "text": ""}


def test_a_prompt_that_opened_the_reasoning_needs_no_marker() -> None:
    assert read("2+2</think>4", [], starts_inside=True) == {"reasoning": "2+2", "text": "4"}


def test_what_only_looked_like_a_marker_is_kept() -> None:
    assert read("if a <", [1, 2, 3])["text"] == "if a <"


def test_text_that_cannot_be_a_marker_is_not_held_back() -> None:
    assert ChannelReader(reasoning=THINK).feed("Hello") == [Piece("text", "Hello")]


def test_without_markers_text_passes_as_it_is() -> None:
    assert ChannelReader().feed("<think>") == [Piece("text", "<think>")]
