"""Formats that several families use, and their detection from a chat template."""

import hashlib
import json
import re
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.tool_calls.call_prefix import LIST_PREFIXES, SPACE, CallPrefix, chars, name_between
from inference.adapters.tool_calls.grammar_rules import literal
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool

_ALPHANUMERIC = string.ascii_letters + string.digits


class Hermes(ToolFormat):
    """<tool_call>, a JSON object, </tool_call>: Qwen, Hermes and most fine-tunes.

    https://github.com/NousResearch/Hermes-Function-Calling
    """

    name = "hermes"
    begin, end = "<tool_call>", "</tool_call>"
    prefixes = LIST_PREFIXES
    closing = ("}", ",", "]", end)
    separator = ","
    # Qwen3-Coder and GLM 4.5 write the same marker around XML.
    _XML_TAGS = ("<function=", "<arg_key>")

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and not any(other in template for other in cls._XML_TAGS)

    def _start_rule(self, several: bool) -> str:
        return f"/\\n?\\n?/ {super()._start_rule(several)}"  # blank lines after the reasoning

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        inside = super()._call_rule(tool, arguments)
        return f'{self._mark_rule(self.begin)} "\\n" {inside} "\\n" {self._mark_rule(self.end)}'


class Llama3Json(ToolFormat):
    """A bare JSON object with name and parameters, sometimes after <|python_tag|>; one call in an answer.

    https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/#json-based-tool-calling
    """

    name = "llama3_json"
    begin = "<|python_tag|>"
    is_bare = True
    closing: ClassVar[Sequence[str]] = ("}", ";")
    arguments_key = "parameters"

    def _start_rule(self, several: bool) -> str:
        return "call"  # its template rejects a turn with two


class JsonList(ToolFormat):
    """A marker and a JSON list of calls: many families, each with its own markers."""

    prefixes = LIST_PREFIXES
    closing: ClassVar[Sequence[str]] = ("}", ",", "]")
    separator = ","

    @classmethod
    def call_text(cls, calls: Sequence[Mapping[str, Any]]) -> str:
        """These calls, each with name and arguments, as the model writes them."""
        return cls.begin + json.dumps(list(calls), ensure_ascii=False) + cls.end

    def _start_rule(self, several: bool) -> str:
        calls = 'call (", " call)*' if several else "call"
        closed = self._mark_rule(self.end) if self.end else ""
        return f'{self._mark_rule(self.begin)} "[" {calls} "]" {closed}'.rstrip()


class MistralList(JsonList):
    """[TOOL_CALLS] and a JSON list of calls: Mistral up to its tokenizer v7, Nemo among them.

    https://docs.mistral.ai/capabilities/function_calling/ - ids have nine letters or digits, and the
    templates raise an error for any other.
    """

    name = "mistral_list"
    begin = "[TOOL_CALLS]"

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and "[ARGS]" not in template

    def new_id(self) -> str:
        return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(9))

    def valid_id(self, given: str) -> str:
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
    prefixes = (
        CallPrefix(SPACE, *name_between(""), *chars(args), SPACE, r"\{"),
        CallPrefix(
            SPACE,
            *name_between(""),
            *chars(call_id),
            SPACE,
            "[a-zA-Z0-9]{1,64}",
            *chars(args),
            SPACE,
            r"\{",
        ),
    )
    closing = ()
    separator = ""

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and cls.args in template

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.args, self.call_id

    def function_name(self, held: str) -> str | None:
        found = re.match(r"\s*([^\s\[]+)[\s\[]", held)
        return found[1] if found else None

    def _start_rule(self, several: bool) -> str:
        return "call+" if several else "call"

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        return f"{self._mark_rule(self.begin)} {literal(tool.name)} {self._mark_rule(self.args)} {arguments}"


FORMATS: tuple[type[ToolFormat], ...] = (Hermes, MistralArgs, MistralList)


def detect_format(template: str, formats: Iterable[type[ToolFormat]] = FORMATS) -> type[ToolFormat] | None:
    """The first of these formats in which this chat template writes calls; None if it uses another."""
    return next((one for one in formats if one.is_used_by(template)), None)
