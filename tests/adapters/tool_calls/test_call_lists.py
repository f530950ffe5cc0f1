"""Several calls in one pair of marks, and values that hold such marks: read the same way in every split."""

import json
from typing import Any

import pytest

from inference.adapters.families.granite import GraniteCalls
from inference.adapters.families.phi import PhiCalls
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import Hermes, MistralList
from tests.adapters.tool_calls.test_call_reader import read
from tests.each import each

ADDED = '{"name": "add", "arguments": {"a": 1}}'
NOWED = '{"name": "now", "arguments": {}}'
BOTH = [("tool", "add", '{"a": 1}'), ("tool", "now", "{}")]


@pytest.mark.parametrize("format_of", [Hermes, MistralList, PhiCalls, GraniteCalls])
@pytest.mark.parametrize(
    "body",
    [
        f"[{ADDED}, {NOWED}]",
        f"\n[\n  {ADDED},\n  {NOWED}\n]\n",
        f"[{ADDED}, {NOWED},]",
        f"[{ADDED} {NOWED}]",
        f"{ADDED}\n{NOWED}",
        f'[{{"arguments": {{"a": 1}}, "name": "add"}}, {NOWED}]',
        f'[{ADDED}, {{"id": "x", "name": "now"}}]',
        f'[{{"name": "add", "arguments": {{"a": 1}}, "id": "]"}}, {NOWED}]',
    ],
)
def test_several_calls_in_one_pair_of_marks_are_all_read(format_of: type[ToolFormat], body: str) -> None:
    output = f"{format_of.begin}{body}{format_of.end}"
    assert read(format_of, output) == BOTH == read(format_of, output, range(len(output)))
    assert all(read(format_of, output, [cut]) == BOTH for cut in range(len(output)))


@each("body", ["[]", "[1]", "[[", "[ [ [", f"[{NOWED.replace('now', 'sub')}]", "[{}]"])
def test_a_list_of_anything_else_is_text(body: str) -> None:
    output = f"<tool_call>{body}</tool_call> and"
    assert all(read(Hermes, output, [cut]) == [("text", output)] for cut in range(len(output)))


def test_text_behind_a_list_is_text() -> None:
    output = f"<tool_call>[{ADDED}, {NOWED}]</tool_call>, and [1] is more"
    assert read(Hermes, output) == [*BOTH, ("text", ", and [1] is more")]


HOLDING = json.dumps({"a": 'ends with </tool_call> or "</tool_call>'})


@each(
    "output",
    [
        f'{{"arguments": {HOLDING}, "name": "add"}}',
        f'{{"name": "add", "arguments": {HOLDING}}}',
        f'[{{"arguments": {HOLDING}, "name": "add"}}]',
        f'{{"id": "</tool_call>", "name": "add", "arguments": {HOLDING}}}',
    ],
)
def test_a_value_may_hold_the_mark_that_ends_its_call(output: str) -> None:
    whole = f"<tool_call>{output}</tool_call>"
    found = [read(Hermes, whole, [cut]) for cut in range(len(whole))]
    assert all(
        [(c, n, json.loads(a)) for c, n, a in one] == [("tool", "add", json.loads(HOLDING))] for one in found
    )


@each(
    ("output", "expected"),
    [
        # The end mark outside of a string ends the arguments, whatever brackets are missing.
        (
            '<tool_call>{"name": "add", "arguments": {"a": 1\n</tool_call>Done.',
            [("tool", "add", '{"a": 1\n'), ("text", "Done.")],
        ),
        # Of a call that never ends, what follows its mark is read again.
        (
            f'<tool_call>{{"arguments": {{"a": "b</tool_call>\n<tool_call>{NOWED}</tool_call>',
            [("text", '<tool_call>{"arguments": {"a": "b</tool_call>'), ("tool", "now", "{}")],
        ),
        # Arguments that stand beside the name would be lost.
        (
            '<tool_call>{"name": "add", "a": 1}</tool_call>',
            [("text", '<tool_call>{"name": "add", "a": 1}</tool_call>')],
        ),
        ('<tool_call>{"a": NaN, "name": "add", "arguments": {"a": NaN}}</tool_call>', None),
    ],
)
def test_what_cannot_be_read_for_certain_is_no_call(output: str, expected: Any) -> None:
    expected = expected or [("text", output)]
    assert all(read(Hermes, output, [cut]) == expected for cut in range(len(output)))


def test_marks_again_and_again_are_text_in_time() -> None:
    output = '<tool_call>{"' * 5000
    assert read(Hermes, output) == [("text", output)]
