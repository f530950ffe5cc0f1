"""The syntax of tool calls in both directions: a grammar to follow, and markers to look for."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from inference.adapters.tool_calls.call_prefix import CallPrefix, object_prefixes
from inference.adapters.tool_calls.escaped_grammar import escaped_terminals
from inference.adapters.tool_calls.grammar_rules import json_rule, literal
from inference.adapters.tool_calls.schema_rewriting import with_null
from inference.core.requests import Tool


class Vocabulary(Protocol):
    """What a format needs of a tokenizer: which of its markers are single tokens."""

    @property
    def added_ids(self) -> frozenset[int]: ...

    def id_of(self, token: str) -> int | None: ...


class ToolFormat:
    """One syntax of tool calls; `begin` opens a call or a list of calls, `end` closes it.

    The class attributes are what the parser (call_reader.py) expects:

    - `name_key`, `arguments_key`: the members of a call that is a JSON object (`is_object`).
    - `other_begins`: markers that models are known to write instead of `begin`.
    - `is_bare`: a call may also begin the answer without a marker, with `bare_begin`.
    - `is_in_reasoning`: the model calls inside its reasoning without closing it first.
    - `prefixes`: what may come before the arguments, up to their brace.
    - `closing`: what may follow the arguments, each once and in this order, with white space between;
      another call follows the `separator` among them.
    - `is_parsed_whole`: the text between `begin` and `end` is not JSON and only parsed once it is complete.
      `ends_with_answer`: the end of the answer ends such a call, too.
    """

    name: ClassVar[str] = ""
    begin: ClassVar[str] = ""
    end: ClassVar[str] = ""
    name_key: ClassVar[str] = "name"
    arguments_key: ClassVar[str] = "arguments"
    other_begins: ClassVar[Sequence[str]] = ()
    is_bare: ClassVar[bool] = False
    bare_begin: ClassVar[str] = "{"
    is_in_reasoning: ClassVar[bool] = False
    is_object: ClassVar[bool] = True
    prefixes: ClassVar[Sequence[CallPrefix]] = object_prefixes()
    closing: ClassVar[Sequence[str]] = ()
    separator: ClassVar[str] = ""
    is_parsed_whole: ClassVar[bool] = False
    ends_with_answer: ClassVar[bool] = False

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        """Whether this chat template writes its calls in this format."""
        return False

    @property
    def marks(self) -> tuple[str, ...]:
        """The markers that may be single tokens, and must be visible for a call to be found."""
        return tuple(mark for mark in (self.begin, *self.other_begins, self.end) if mark)

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        """An llguidance grammar of an answer that is a call of one of `tools`, or `several` calls.

        Its start rule covers all of the answer that follows the reasoning. A marker that the vocabulary
        has as one token is this token and cannot be spelled in other tokens. Raises Unwritable or
        TooManyShapes where the syntax cannot express a tool's schema.
        """
        rules = []
        for place, tool in enumerate(tools):
            rules.append(f"call_{place}: {self._call_rule(tool, f'arguments_{place}')}")
            rules.append(f"arguments_{place}: {arguments_rule(tool)}")
        any_call = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self._start_rule(several)}", f"call: {any_call}", *rules]) + "\n"

    def function_name(self, held: str) -> str | None:
        """The name in the beginning of a call, without its marker, once the name is complete."""
        found = re.search(rf'"{self.name_key}"\s*:\s*"([^"\\]*)"', held)
        return found[1] if found else None

    def can_become(self, body: str) -> bool:
        """Whether this can be the beginning of the body of a call that is parsed whole."""
        return True

    def can_continue(self, body: str, tools: Mapping[str, Tool]) -> bool:
        """Whether `body`, which ends where `end` was seen, may have that text in a value and go on."""
        return False

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """Name and JSON arguments of each call in the `body` between the markers; none if it is no call."""
        return ()

    def parse_incomplete(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """The calls of a body in which the model has forgotten something, once the answer has ended."""
        return ()

    def new_id(self) -> str:
        """A random id for a call, in the form of this family's own."""
        return f"call_{secrets.token_hex(12)}"

    def valid_id(self, given: str) -> str:
        """An id from elsewhere in the form that this family accepts; always the same for the same id."""
        return given

    def _start_rule(self, several: bool) -> str:
        """The start rule, written with the rule `call`."""
        return 'call ("\\n" call)*' if several else "call"

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        """One call of `tool`; `arguments` is the name of the rule of its arguments."""
        opened = f'{{"name": {json.dumps(tool.name)}, "{self.arguments_key}": '
        return f'{literal(opened)} {arguments} "}}"'

    def _text_rule(self, text: str) -> str:
        """A text in which markers that are tokens of the vocabulary are these tokens."""
        parts = re.split("(" + "|".join(re.escape(mark) for mark in self.marks) + ")", text)
        return " ".join(
            self._mark_rule(part) if part in self.marks else literal(part) for part in parts if part
        )

    def _mark_rule(self, mark: str) -> str:
        token = self._vocabulary.id_of(mark)
        return f"<[{token}]>" if token is not None and token in self._vocabulary.added_ids else literal(mark)


def arguments_rule(tool: Tool) -> str:
    """The rule of a tool's arguments, written as JSON, and further rules that it needs; raises Unwritable."""
    if tool.input_definition:
        return _input_rule(tool)
    return json_rule({"type": "object", **with_null(json.loads(tool.parameters))})


def _input_rule(tool: Tool) -> str:
    """The rule of an object with one text, which follows the tool's own grammar."""
    prefix = f"INPUT_{hashlib.sha256(tool.name.encode()).hexdigest()[:12].upper()}_"
    (name,) = json.loads(tool.parameters)["properties"]
    opened = literal(f'{{{json.dumps(name)}: "')
    terminals = escaped_terminals(tool.input_syntax, tool.input_definition, prefix)
    return f"""{opened} {prefix}START {literal('"}')}\n{terminals}"""
