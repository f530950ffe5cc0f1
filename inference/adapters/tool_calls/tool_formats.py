"""How models write tool calls: the text around a function's name and its arguments, one class a manner.

A format says what a call looks like in both directions: as a grammar that a required call must follow
(`lark`), and as the marks by which a call is found in an answer.
"""

import hashlib
import json
import re
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from inference.adapters.tool_calls.call_syntax import CallPrefix
from inference.adapters.tool_calls.grammar_rules import json_rule, literal
from inference.adapters.tool_calls.json_schema import with_null
from inference.core.requests import Tool

_SPACE = r"[ \t\r\n]{0,16}"
_ALPHANUMERIC = string.ascii_letters + string.digits


class Vocabulary(Protocol):
    """What a format needs of a tokenizer: which of its marks are tokens of their own."""

    @property
    def added_ids(self) -> frozenset[int]: ...

    def id_of(self, token: str) -> int | None: ...


def literals(text: str) -> tuple[str, ...]:
    return (_SPACE, *(re.escape(char) for char in text))


def member(key: str) -> tuple[str, ...]:
    return (_SPACE, *f'"{key}"', *literals(":"), _SPACE)


# Llama likes to tell a type before the name.
_TYPED = (*member("type"), *'"function"', *literals(","))


def object_heads(
    before: Sequence[str] = (), *, name: str = "name", firsts: Sequence[Sequence[str]] = ((), _TYPED)
) -> tuple[CallPrefix, ...]:
    """The name behind what may come first, then the arguments under either of their names."""
    return tuple(
        CallPrefix(
            *before,
            *literals("{"),
            *first,
            *member(name),
            *_named('"'),
            *literals(","),
            *member(key),
            r"\{",
        )
        for first in firsts
        for key in ("arguments", "parameters")
    )


def _named(quote: str) -> tuple[str, ...]:
    return (quote, r'(?P<name>[^"\\\s\[\]{}]{1,64})', quote)


# An object alone, or the first one of a list.
LISTED = (*object_heads(), *object_heads(literals("[")))


class ToolFormat:
    """One manner of writing calls; `begin` opens a call or a list of them, `end` closes it."""

    name: ClassVar[str] = ""
    begin: ClassVar[str] = ""
    end: ClassVar[str] = ""
    name_key: ClassVar[str] = "name"
    arguments_key: ClassVar[str] = "arguments"
    # How call_reader.py reads them (call_syntax.py):
    other_begins: ClassVar[Sequence[str]] = ()
    is_bare: ClassVar[bool] = False
    bare_begin: ClassVar[str] = "{"
    is_in_thoughts: ClassVar[bool] = False
    is_object: ClassVar[bool] = True
    heads: ClassVar[Sequence[CallPrefix]] = object_heads()
    closing: ClassVar[Sequence[str]] = ()
    separator: ClassVar[str] = ""
    is_whole: ClassVar[bool] = False
    ends_with_answer: ClassVar[bool] = False

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        """Whether this chat template writes its calls in this manner."""
        return False

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that may be tokens of their own, and must be seen to find a call."""
        return tuple(mark for mark in (self.begin, *self.other_begins, self.end) if mark)

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        """An llguidance grammar of an answer that is a call of one of `tools`, or `several` calls.

        Its start rule covers all of the answer that follows the reasoning. A mark that the vocabulary
        has as one token is that token and nothing else.
        """
        rules = []
        for place, tool in enumerate(tools):
            rules.append(f"call_{place}: {self._call(tool, f'arguments_{place}')}")
            rules.append(f"arguments_{place}: {arguments_rule(tool)}")
        any_call = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self._answer(several)}", f"call: {any_call}", *rules]) + "\n"

    def named(self, held: str) -> str | None:
        """The name in the beginning of a call, behind its mark, once it is whole."""
        found = re.search(rf'"{self.name_key}"\s*:\s*"([^"\\]*)"', held)
        return found[1] if found else None

    def may_become(self, body: str) -> bool:
        """Whether this can be the beginning of a body that is only understood as a whole."""
        return True

    def may_go_on(self, body: str, tools: Mapping[str, Tool]) -> bool:
        """Whether `body`, which ends where its mark was seen, may hold that mark in a value and go on."""
        return False

    def mended(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """The calls of a body that the model has not ended as it should, once the answer has ended."""
        return ()

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """Name and JSON arguments of each call in `body`, where calls are only understood as a whole."""
        return ()

    def new_id(self) -> str:
        """An id for a call, of the form this family's own have."""
        return f"call_{secrets.token_hex(12)}"

    def own_id(self, given: str) -> str:
        """An id from elsewhere as this family can take it; the same one each time."""
        return given

    def _answer(self, several: bool) -> str:
        """The start rule, of `call`."""
        return 'call ("\\n" call)*' if several else "call"

    def _call(self, tool: Tool, arguments: str) -> str:
        """One call of `tool`, with the rule of this name for its arguments."""
        opened = f'{{"name": {json.dumps(tool.name)}, "{self.arguments_key}": '
        return f'{literal(opened)} {arguments} "}}"'

    def _said(self, text: str) -> str:
        """A text in which marks that are tokens of the vocabulary are these tokens."""
        parts = re.split("(" + "|".join(re.escape(mark) for mark in self.marks) + ")", text)
        return " ".join(self._mark(part) if part in self.marks else literal(part) for part in parts if part)

    def _mark(self, mark: str) -> str:
        token = self._vocabulary.id_of(mark)
        return f"<[{token}]>" if token is not None and token in self._vocabulary.added_ids else literal(mark)


class Hermes(ToolFormat):
    """<tool_call>, a JSON object, </tool_call>: Qwen, Hermes and most fine-tunes.

    https://github.com/NousResearch/Hermes-Function-Calling
    """

    name = "hermes"
    begin, end = "<tool_call>", "</tool_call>"
    heads = LISTED
    closing = ("}", ",", "]", end)
    separator = ","
    # The same tags around XML: Qwen3-Coder and GLM 4.5.
    _OTHERS = ("<function=", "<arg_key>")

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and not any(other in template for other in cls._OTHERS)

    def _answer(self, several: bool) -> str:
        return f"/\\n?\\n?/ {super()._answer(several)}"  # blank lines after the reasoning

    def _call(self, tool: Tool, arguments: str) -> str:
        inside = super()._call(tool, arguments)
        return f'{self._mark(self.begin)} "\\n" {inside} "\\n" {self._mark(self.end)}'


class Llama3Json(ToolFormat):
    """A bare JSON object with name and parameters, sometimes after <|python_tag|>; one call an answer.

    https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/#json-based-tool-calling
    """

    name = "llama3_json"
    begin = "<|python_tag|>"
    is_bare = True
    closing: ClassVar[Sequence[str]] = ("}", ";")
    arguments_key = "parameters"

    def _answer(self, several: bool) -> str:
        return "call"  # its template refuses a turn with two


class JsonList(ToolFormat):
    """A mark and a JSON list of calls: many families, each with its own marks."""

    heads = LISTED
    closing: ClassVar[Sequence[str]] = ("}", ",", "]")
    separator = ","

    @classmethod
    def written(cls, calls: Sequence[Mapping[str, Any]]) -> str:
        """These calls, each with name and arguments, as the model would have said them."""
        return cls.begin + json.dumps(list(calls), ensure_ascii=False) + cls.end

    def _answer(self, several: bool) -> str:
        calls = 'call (", " call)*' if several else "call"
        closed = self._mark(self.end) if self.end else ""
        return f'{self._mark(self.begin)} "[" {calls} "]" {closed}'.rstrip()


class MistralList(JsonList):
    """[TOOL_CALLS] and a JSON list of calls: Mistral up to its tokenizer v7, Nemo among them.

    https://docs.mistral.ai/capabilities/function_calling/ - ids have nine letters or digits, and the
    templates raise on any other.
    """

    name = "mistral_list"
    begin = "[TOOL_CALLS]"

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and "[ARGS]" not in template

    def new_id(self) -> str:
        return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(9))

    def own_id(self, given: str) -> str:
        if re.fullmatch("[a-zA-Z0-9]{9}", given):
            return given
        return hashlib.sha256(given.encode()).hexdigest()[:9]


class MistralArgs(MistralList):
    """[TOOL_CALLS], the name, [ARGS] and the arguments, for each call: Mistral from its tokenizer v11.

    https://github.com/mistralai/mistral-common (tokens/tokenizers/instruct.py, InstructTokenizerV11)
    """

    name = "mistral_args"
    args = "[ARGS]"
    call_id = "[CALL_ID]"  # v11 writes the id between name and arguments, v13 leaves it out
    is_object = False
    heads = (
        CallPrefix(_SPACE, *_named(""), *literals(args), _SPACE, r"\{"),
        CallPrefix(
            _SPACE,
            *_named(""),
            *literals(call_id),
            _SPACE,
            "[a-zA-Z0-9]{1,64}",
            *literals(args),
            _SPACE,
            r"\{",
        ),
    )
    closing = ()
    separator = ""

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and cls.args in template

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.args, self.call_id

    def named(self, held: str) -> str | None:
        found = re.match(r"\s*([^\s\[]+)[\s\[]", held)
        return found[1] if found else None

    def _answer(self, several: bool) -> str:
        return "call+" if several else "call"

    def _call(self, tool: Tool, arguments: str) -> str:
        return f"{self._mark(self.begin)} {literal(tool.name)} {self._mark(self.args)} {arguments}"


FORMATS: tuple[type[ToolFormat], ...] = (Hermes, MistralArgs, MistralList)


def written_by(template: str, formats: Iterable[type[ToolFormat]] = FORMATS) -> type[ToolFormat] | None:
    """The format in which this chat template writes calls, if it is one of ours."""
    return next((one for one in formats if one.is_written_by(template)), None)


def arguments_rule(tool: Tool) -> str:
    """A tool's arguments, written as JSON."""
    return json_rule({"type": "object", **with_null(json.loads(tool.parameters))})
