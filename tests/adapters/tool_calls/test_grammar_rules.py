"""Rules get their names one after another, and texts stay what they are."""

import re

from inference.adapters.tool_calls.grammar_rules import RuleBook, literal, pattern_of
from tests.each import each


def test_a_rule_is_known_by_the_name_it_got() -> None:
    rules = RuleBook()
    later = rules.reserve()
    assert (rules.add('"a"'), later) == ("rule_2", "rule_1")
    rules.fill(later, "rule_2+")
    assert rules.lines == ['rule_2: "a"', "rule_1: rule_2+"]


def test_the_same_text_is_one_terminal() -> None:
    rules = RuleBook()
    assert rules.text(["a", "b"]) == rules.text(["b", "a"]) == "TEXT_0"
    assert rules.text(["c"]) == "TEXT_1"


@each("text", ["</a>", "a.b*c", "[x]{1}", "a\nb", "\\", "é"])
def test_a_pattern_of_a_text_matches_that_text_only(text: str) -> None:
    assert re.fullmatch(pattern_of(text), text)
    assert not re.fullmatch(pattern_of(text), text + "x")


def test_a_literal_is_quoted() -> None:
    assert literal('a"é') == '"a\\"é"'
