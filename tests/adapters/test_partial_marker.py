"""The beginning of a marker at the end of a text is measured."""

from inference.adapters.partial_marker import partial_length


def test_held_back_is_the_longest_beginning_of_the_marker() -> None:
    assert [partial_length(text, "</a>") for text in ("x", "x<", "x</", "x</a", "<</")] == [0, 1, 2, 3, 2]
