"""Grammars of texts, rewritten for the inside of a JSON string: they take what JSON makes of these texts."""

import json
import re

import pytest

from inference.adapters.tool_calls.escaped_grammar import escaped_regex, escaped_terminals
from inference.adapters.tool_calls.grammar_rules import Unwritable
from tests.each import each


def takes(pattern: str, text: str) -> bool:
    """Whether the rewritten pattern is all of the text as JSON writes it."""
    python = re.sub(
        r"\\x\{([0-9a-f]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", escaped_regex(pattern)
    )
    return re.fullmatch(python, json.dumps(text, ensure_ascii=False)[1:-1]) is not None


@each(
    ("pattern", "matching", "others"),
    [
        (r"a+", ["a", "aa"], ["", "b"]),
        (r"(.+)", ["a", 'say "hi" \\ \t', "é😀"], ["", "a\nb"]),
        (r"(?s).*", ["", "a\nb"], []),
        (r'[^"\n]+', ["a\\b"], ['"', "\n"]),
        (r"[a-z/]+\.(py|rs)", ["a/b.py"], ["a.c", "a.pyx"]),
        (r"^\d{2,3}-\w*\s?$", ["12-", "123-a_1\n"], ["1-", "12"]),
        (r"\D\W\S", ["a-b"], ["1-b"]),
        (r"(?i)select", ["SELECT", "select"], ["drop"]),
        (r"[\\\"\n\t]", ["\\", '"', "\n", "\t"], ["a"]),
        (r"a|b\n", ["a", "b\n"], ["b"]),
        (r"[^a]", ["b", '"', "\n"], ["a", ""]),
    ],
)
def test_a_pattern_takes_the_same_texts_as_json_writes_them(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    assert [text for text in matching if not takes(pattern, text)] == []
    assert [text for text in others if takes(pattern, text)] == []


@each("pattern", ["(", r"(?=a)b", r"(a)\1", r"\bword", r"[\x00-\x07]"])
def test_what_cannot_be_rewritten_says_so(pattern: str) -> None:
    with pytest.raises(Unwritable):
        escaped_regex(pattern)


def test_the_rules_of_a_lark_grammar_become_terminals_under_a_prefix() -> None:
    made = escaped_terminals(
        "lark",
        """\
// a comment
?start: line+ -> lines  # and another
line.2: "+" /[^\\n]*/ LF?
%import common.LF
""",
        "G_",
    )
    lines = [line.strip() for line in made.splitlines() if line.strip()]
    assert lines[0] == "G_START: G_LINE+"
    assert lines[1].startswith(r"G_LINE: /[\x{2b}]/ /") and lines[1].endswith("G_LF?")
    assert lines[2] == r"G_LF: /\\n/"


@each("definition", ["%import common.SQL", "%ignore WS", "%json {}", 'start: "\\x"'])
def test_a_lark_grammar_beyond_that_says_so(definition: str) -> None:
    with pytest.raises(Unwritable):
        escaped_terminals("lark", definition, "G_")
