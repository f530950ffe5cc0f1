"""Names inside of sentences."""

from inference.core.text_direction import isolated
from tests.each import each


@each("name", ["", "laptop", "Jürgens 日本", "a (b) 2"])
def test_a_name_from_left_to_right_stays_as_it_is(name: str) -> None:
    assert isolated(name) == name


@each("name", ["مفتاح 2", "laptop של דנה", "\u202eevil"])
def test_a_name_that_turns_the_text_is_isolated(name: str) -> None:
    assert isolated(name) == f"\u2068{name}\u2069"
