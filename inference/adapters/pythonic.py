"""Calls written as Python: [name(key=value, …), …], where values are Python's or JSON's.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/ - Llama 4 is told to write them so where its
template is one for that, and without marks; LFM2 puts them between its own
(https://docs.liquid.ai/lfm/key-concepts/tool-use).
"""

import ast
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.grammar_rules import RuleBook
from inference.adapters.tool_formats import PLAIN, ToolFormat, literal
from inference.requests import Tool

_JSON = {"true": True, "false": False, "null": None}
_DASH = "\u01c0"
_LONGEST = 2**18  # characters; Python's own parser takes its time over more
_BEGINNING = re.compile(r"\s*(\[\s*([A-Za-z_][\w.-]*\s*(\(.*)?)?)?", re.DOTALL)


class Pythonic(ToolFormat):
    """A list of calls; LFM2's marks."""

    name = "pythonic"
    begin, end = "<|tool_call_start|>", "<|tool_call_end|>"
    bare_begin: ClassVar[str] = "["
    is_whole = True
    ends_with_answer = True

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template

    def may_become(self, body: str) -> bool:
        return _BEGINNING.fullmatch(body) is not None

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        if len(body) > _LONGEST:
            return ()
        # A dash in a name is a minus to Python's parser; the stand-in for it is a letter.
        dashed = [name for name in tools if "-" in name] if _DASH not in body else []
        for name in dashed:
            body = body.replace(f"{name}(", f"{name.replace('-', _DASH)}(")
        try:
            calls = [(_name_of(call.func), _arguments_of(call)) for call in _list_in(body)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
        if not dashed:
            return calls
        return [(name.replace(_DASH, "-"), said.replace(_DASH, "-")) for name, said in calls]

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = RuleBook()
        calls = [self._call_of(tool, rules) for tool in tools]
        more = '(", " call)*' if several else ""
        opened, closed = (f"{self._mark(mark)} " if mark else "" for mark in self._framing())
        start = f'{opened}"[" call {more} "]" {closed}'.strip()
        return "\n".join([f"start: {start}", f"call: {' | '.join(calls)}", *rules.made]) + "\n"

    def _framing(self) -> tuple[str, str]:
        """The marks that a required call has."""
        return self.begin, self.end

    def _call_of(self, tool: Tool, rules: RuleBook) -> str:
        parameters: Mapping[str, Any] = json.loads(tool.parameters)
        shared = {key: parameters[key] for key in ("$defs", "definitions") if key in parameters}
        required = set(parameters.get("required") or ())
        members = [
            (f"{literal(f'{key}=')} {rules.named(_json(schema, shared))}", key in required)
            for key, schema in (parameters.get("properties") or {}).items()
        ]
        return f'{literal(f"{tool.name}(")} {rules.members(members, literal(", "))} ")"'


def _json(schema: Any, shared: Mapping[str, Any]) -> str:
    told = {**schema, **shared} if isinstance(schema, Mapping) else dict(shared)
    return f"%json {json.dumps({**told, 'x-guidance': PLAIN})}"


def _list_in(body: str) -> list[ast.Call]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a pattern's "\\d", which is no mistake of ours
        listed = ast.parse(body.strip(), mode="eval").body
    calls = listed.elts if isinstance(listed, ast.List) else [listed]
    found = [call for call in calls if isinstance(call, ast.Call) and not call.args]
    if len(found) < len(calls):
        raise ValueError("something else is in the list")
    return found


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):  # names of functions may have dots
        return f"{_name_of(function.value)}.{function.attr}"
    if isinstance(function, ast.Name):
        return function.id
    raise ValueError("what is called has no name")


def _arguments_of(call: ast.Call) -> str:
    arguments = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise ValueError("arguments are not told one by one")
        arguments[keyword.arg] = _value_of(keyword.value)
    return json.dumps(arguments, ensure_ascii=False, allow_nan=False)


def _value_of(node: ast.expr) -> Any:
    """What a literal stands for; only JSON's kinds of values, and JSON's words among Python's."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in _JSON:
        return _JSON[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _signed(node.op, _value_of(node.operand))
    if isinstance(node, ast.List | ast.Tuple):
        return [_value_of(one) for one in node.elts]
    if isinstance(node, ast.Dict):
        return dict(map(_member_of, node.keys, node.values))
    raise ValueError("a value is no literal")


def _signed(sign: ast.unaryop, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("only numbers have a sign")
    return -value if isinstance(sign, ast.USub) else value


def _member_of(key: ast.expr | None, value: ast.expr) -> tuple[str, Any]:
    name = _value_of(key) if key else None
    if not isinstance(name, str):
        raise ValueError("a key is no text")
    return name, _value_of(value)
