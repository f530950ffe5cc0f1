"""Custom tools with a grammar: any draw of a call's input follows it, or it is named as best effort."""

import json
import re

import pytest

from inference.core.requests import Tool
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from tests.adapters.families import test_qwen
from tests.adapters.family_models import LLAMA_TOOLS, NOW, real
from tests.worker.sampling.test_grammar import (
    around,
    asking,
    drawn,
    grammar_of,
    text_of,
)

pytestmark = pytest.mark.mlx
_INPUT = {"properties": {"input": {"type": "string"}}, "required": ["input"]}
PARAMETERS = json.dumps({"type": "object", **_INPUT, "additionalProperties": False})
PATCH = """\
start: "*** Begin" LF line~1..2 "*** End"
line: ("+" | "-") /[xy"]{0,3}/ LF
%import common.LF
"""


def custom(name: str, syntax: str, definition: str) -> Tool:
    return Tool(name=name, parameters=PARAMETERS, input_syntax=syntax, input_definition=definition)


DIGITS = custom("dial", "regex", r'^\d{2}("|\\|\n)[a-c]$')
LINES = custom("patch", "lark", PATCH)
RECURSIVE = custom("nest", "lark", 'start: "(" start? ")"')
FORMS = {"dial": r'\d{2}["\\\n][a-c]', "patch": r'\*\*\* Begin\n([+-][xy"]{0,3}\n){1,2}\*\*\* End'}
HERMES = next(
    name
    for name, (adapter, _) in test_qwen.FAMILIES.items()
    if adapter.call_format and adapter.call_format.name == "hermes"
)


def inputs(pieces: list[object]) -> str:
    text = "".join(piece.text for piece in pieces if piece.channel == "tool")  # type: ignore[attr-defined]
    return str(json.loads(text)["input"])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tool", [DIGITS, LINES], ids=lambda tool: tool.name)
def test_the_input_of_a_required_call_follows_its_grammar(tool: Tool, seed: int) -> None:
    model, _ = around(*test_qwen.FAMILIES[HERMES])
    request = asking(tools=(tool, NOW), must_call=(tool.name,), may_call_several=False)
    assert GrammarCompiler(model).best_effort(request) == ()
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), seed))
    assert re.fullmatch(FORMS[tool.name], inputs(pieces))


def test_so_does_one_that_the_model_makes_by_itself_and_the_other_tools_stay_free() -> None:
    model, tokenizer = around(*test_qwen.FAMILIES[HERMES])
    odd = Tool(name="odd", parameters='{"type":"object","uniqueItems":true,"not":{}}')  # cannot be enforced
    request = asking(tools=(odd, LINES), may_call_several=False)
    begun = tokenizer.encode('Well. <tool_call>\n{"name": "patch"')
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), 1, begun))
    assert re.fullmatch(FORMS["patch"], inputs(pieces))


@pytest.mark.parametrize("tool", [RECURSIVE, custom("x", "regex", "("), custom("y", "lark", "%ignore WS")])
def test_a_grammar_that_cannot_be_enforced_is_named(tool: Tool) -> None:
    model, _ = around(*test_qwen.FAMILIES[HERMES])
    request = asking(tools=(NOW, tool))
    compiler = GrammarCompiler(model)
    assert compiler.best_effort(request) == ("tools.1.function.parameters",)
    assert compiler.of(request, model.adapter.render(request)) is None


def test_where_calls_have_no_marker_only_a_required_one_is_held_to_its_grammar() -> None:
    model, _ = around(*real("llama3_2", "llama", LLAMA_TOOLS))
    free, required = asking(tools=(LINES,)), asking(tools=(LINES,), must_call=("patch",))
    compiler = GrammarCompiler(model)
    assert compiler.best_effort(free) == ("tools.0.function.parameters",)
    assert compiler.of(free, model.adapter.render(free)) is None
    assert compiler.best_effort(required) == ()
