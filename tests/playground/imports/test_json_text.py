"""Short and long texts are read alike; long ones in many small steps."""

import json
import sys
from typing import Any

import pytest

from playground.imports import json_text
from tests.each import each

CHAT = {"title": "Tee \u2615 😀", "n": [1, -2.5, 1e3, True, False, None], "empty": [{}, [], ""]}
LONG = {"messages": [CHAT | {"id": number, "text": "said " * 20} for number in range(2000)]}


@pytest.mark.parametrize("value", [CHAT, LONG, [], "x", 7, None])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_it_reads_what_was_written(value: Any, is_ascii: bool) -> None:
    assert json_text.read(json.dumps(value, ensure_ascii=is_ascii)) == value


@pytest.mark.parametrize("padding", ["", "x" * json_text.AT_ONCE])
def test_halves_of_pairs_and_what_is_no_number_are_replaced(padding: str) -> None:
    text = f'{{"{padding}": NaN, "\\ud83d": ["\\ud83d\\ude00", "cut \\ud83d", "\ude00"], "b": -Infinity}}'
    assert json_text.read(text) == {padding: None, "\ufffd": ["😀", "cut \ufffd", "\ufffd"], "b": None}


def test_a_half_between_two_windows_is_found() -> None:
    for shift in range(8):
        text = json.dumps("x" * (json_text.AT_ONCE - shift))[:-1] + '\\ud83d"'
        assert json_text.read(text).endswith("\ufffd")


@each("text", ["", "{", '{"a": 1,}', "[1 2]", '"x', LONG["messages"].__repr__(), "[" * 2])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        json_text.read(text)


def test_too_deep_a_nesting_is_told(long: str = " " * json_text.AT_ONCE) -> None:
    for text in ("[" * 100_000, long + "[" * 100_000):
        with pytest.raises(RecursionError):
            json_text.read(text)


def test_no_call_of_native_code_reads_more_than_a_value_of_a_long_text() -> None:
    """Python interrupts a thread between two calls, so what one call reads is what others wait for."""
    text = json.dumps(LONG)
    assert len(text) > json_text.AT_ONCE
    calls = 0

    def count(frame: Any, event: str, called: Any) -> None:
        nonlocal calls
        calls += event == "c_call" and getattr(called, "__name__", "") == "scanstring"

    sys.setprofile(count)
    try:
        json_text.read(text)
    finally:
        sys.setprofile(None)
    strings = 2000 * (len(CHAT) + 2 + 3)  # the names, and the texts
    assert calls >= strings
