"""The syntax of tool calls that all formats share."""

import json
import re
from typing import Any

from inference.adapters.tool_calls.tool_format import ToolFormat, arguments_rule
from inference.core.requests import Tool
from tests.adapters.tool_calls.test_call_reader import NoVocabulary
from tests.each import each

GRAMMAR = Tool(
    name="run",
    parameters='{"type":"object","properties":{"input":{"type":"string"}}}',
    input_syntax="regex",
    input_definition="a\nb",
)


class Marked(ToolFormat):
    begin, end = "<call>", "</call>"
    other_begins = ("[call]",)

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        return self._text_rule(f"<call>{tool.name}</call>")


class Vocabulary(NoVocabulary):
    """Has the beginning of a call as one token."""

    added_ids = frozenset({7})

    def id_of(self, token: str) -> int | None:
        return {"<call>": 7, "</call>": 8}.get(token)


@each(("held", "name"), [('{"name": "add", "arg', "add"), ('{"name": "ad', None), ('{"id": 1}', None)])
def test_a_name_is_known_once_it_is_complete(held: str, name: str | None) -> None:
    assert ToolFormat(NoVocabulary()).function_name(held) == name


def test_its_markers_are_those_that_it_has() -> None:
    assert Marked(NoVocabulary()).marks == ("<call>", "[call]", "</call>")
    assert ToolFormat(NoVocabulary()).marks == ()


def test_a_marker_that_is_an_added_token_is_that_token_in_the_grammar() -> None:
    made: Any = Marked(Vocabulary())
    assert made._call_rule(Tool(name="add"), "") == '<[7]> "add" "</call>"'


def test_a_grammar_has_a_rule_for_each_tool_and_may_repeat_calls() -> None:
    tools = [Tool(name="add"), Tool(name="now")]
    one, many = (ToolFormat(NoVocabulary()).lark(tools, several=several) for several in (False, True))
    assert one.splitlines()[:2] == ["start: call", "call: call_0 | call_1"]
    assert many.splitlines()[0] == 'start: call ("\\n" call)*'
    assert json.dumps("now") in json.loads(one.split("call_1: ")[1].split(" arguments_1")[0])


def test_a_custom_tool_has_the_rules_of_its_input() -> None:
    object_rule, terminal = arguments_rule(GRAMMAR).split("\n", 1)
    found = re.search(r" (INPUT_\w+_START) ", object_rule)
    assert found and terminal.startswith(f"{found[1]}: /") and r"\\n" in terminal


def test_two_calls_have_different_ids() -> None:
    made = ToolFormat(NoVocabulary())
    assert made.new_id() != made.new_id()
    assert made.valid_id("call_1") == "call_1"
