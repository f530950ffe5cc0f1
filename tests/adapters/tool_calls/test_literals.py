"""Values in the midst of other text: read to their end and no further, and kept as they are written."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.tool_calls.literals import Literals, Unfinished
from tests.each import each

VALUES = st.recursive(
    st.text("ab\"'\\[](){},:=\n é\u2028", max_size=6) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, st.sampled_from([repr, json.dumps]), st.sampled_from(["", "</x>", ", more", ")]"]))
@settings(deadline=None)
def test_a_value_ends_where_it_ends(value: Any, write: Any, rest: str) -> None:
    output = write(value)
    read = Literals(f"  {output}{rest}")
    assert json.loads(read.value()) == value
    assert read.text[read.place :] == rest


@each("number", ["1e400", "1.50", "12345678901234567890.123456789", "-0", "1E5"])
def test_a_number_stays_as_it_is_written(number: str) -> None:
    assert Literals(number).value() == number


def test_half_a_surrogate_pair_is_still_something_that_can_be_sent() -> None:
    assert Literals(r"'\ud800'").value().encode() == rb'"\ud800"'


@each("output", ['"a', "'a", "'''a''", '["a', "{'a': 'b", r'"a\"'])
def test_within_a_string_more_may_follow(output: str) -> None:
    with pytest.raises(Unfinished):
        Literals(output).value()


@each(
    "output",
    [
        "",
        "[1",
        "[1,",
        "{'a'",
        "{'a':",
        "{1: 2}",
        "{1}",
        "b'x'",
        "f'x'",
        "tru",
        "1+1",
        "--1",
        "007",
        "[" * 5000,
    ],
)
def test_anything_else_is_none(output: str) -> None:
    read = Literals(output)
    with pytest.raises(ValueError, match=".") as wrong:
        read.value()
    assert not isinstance(wrong.value, Unfinished)
