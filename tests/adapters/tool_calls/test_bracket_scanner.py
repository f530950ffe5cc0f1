"""The end of a JSON value is found however its text is split."""

from hypothesis import given

from inference.adapters.tool_calls.bracket_scanner import BracketScanner
from tests.adapters.tool_calls.test_call_reader import ARGUMENTS, CUTS


@given(ARGUMENTS, CUTS)
def test_the_end_of_an_object_is_found_in_any_cut(text: str, cuts: list[int]) -> None:
    nesting, edges = BracketScanner(), [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    ends = [nesting.find_end(text[start:end]) for start, end in zip(edges, edges[1:], strict=False)]
    assert ends[-1] is not None
    assert not any(end is not None for end in ends[:-1])


def test_brackets_in_strings_do_not_count() -> None:
    assert BracketScanner().find_end('{"a": "}\\"}"} and') == 13


def test_a_stop_ends_a_value_outside_of_strings_only() -> None:
    scanner = BracketScanner(stops=["</call>"])
    assert scanner.find_end('{"a": "</call>"') is None and scanner.is_stopped is False
    assert scanner.find_end(", </call>") == 2 and scanner.is_stopped is True


def test_a_value_may_have_begun_before() -> None:
    assert BracketScanner(depth=1).find_end(', "id": {}}}') == 11
