"""The end of a value is found in a growing text, and what may become a stop waits."""

from inference.adapters.tool_calls.held_text import HeldText


def held(text: str, *, start: int = 0, depth: int = 0) -> HeldText:
    made = HeldText(["</call>"])
    made.text = text
    made.start_value(start, depth=depth)
    return made


def test_the_value_ends_behind_its_last_bracket() -> None:
    assert held('{"a": {}} and').find_value_end() == 9
    assert held("x{}", start=1).find_value_end() == 3
    assert held(', "id": 1} and', depth=1).find_value_end() == 10


def test_what_may_become_a_stop_is_not_scanned() -> None:
    made = held('{"a": 1</ca')
    assert made.find_value_end() is None and made.scanned == 7
    made.text += "ll>"
    assert made.find_value_end() == 7 and made.is_stopped


def test_in_a_string_nothing_waits() -> None:
    made = held('{"a": "</ca')
    assert made.find_value_end() is None
    assert made.scanned == len(made.text) and made.is_in_string


def test_what_is_taken_is_gone_and_the_rest_is_scanned_anew() -> None:
    made = held('{"a"')
    assert made.find_value_end() is None
    assert made.take(3) == '{"a'
    assert (made.text, made.scanned) == ('"', 0)
