"""Compares a text with calls as each format writes them, independently of grammar and parser."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from inference.adapters.tool_calls.gemma import GemmaCalls
from inference.adapters.tool_calls.marked import MarkedCalls
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.xml import XmlCalls

Calls = Sequence[tuple[str, dict[str, Any]]]
_WORDS = {"True": True, "False": False, "None": None}


class Mismatch(Exception):
    """The text is not these calls in their format."""


class Text:
    """A text that is compared from the beginning on."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def expect(self, output: str) -> None:
        if not self.rest.startswith(output):
            raise Mismatch(f"{output!r} is not at {self.rest[:80]!r}")
        self.rest = self.rest[len(output) :]

    def expect_pattern(self, pattern: str) -> None:
        found = re.compile(pattern).match(self.rest)
        if not found:
            raise Mismatch(f"{pattern} is not at {self.rest[:80]!r}")
        self.rest = self.rest[found.end() :]

    def json(self, value: Any) -> None:
        try:
            found, end = json.JSONDecoder().raw_decode(self.rest)
        except ValueError as error:
            raise Mismatch(f"no JSON is at {self.rest[:80]!r}") from error
        if (type(found), found) != (type(value), value):
            raise Mismatch(f"{found!r} is said and not {value!r}")
        self.rest = self.rest[end:]

    def one_of(self, *ways: Callable[[], None]) -> None:
        rest = self.rest
        for way in ways:
            try:
                return way()
            except Mismatch:
                self.rest = rest
        raise Mismatch(f"nothing fits at {rest[:80]!r}")

    def joined(self, parts: Sequence[Callable[[], None]], joint: str) -> None:
        for place, part in enumerate(parts):
            if place:
                self.expect_pattern(joint)
            part()


def check_written(call_format: ToolFormat, calls: Calls, output: str) -> None:
    """Raises Mismatch where `output` is not just these calls; of a format not known here it says nothing."""
    text = Text(output)
    writer = next((writer for kind, writer in WRITERS if _is(call_format, kind)), None)
    if writer:
        writer(text, call_format, calls)
        if text.rest:
            raise Mismatch(f"{text.rest!r} is left")


def _is(call_format: ToolFormat, kind: type[ToolFormat] | str) -> bool:
    return call_format.name == kind if isinstance(kind, str) else isinstance(call_format, kind)


def _objects(before: str, joint: str, after: str, call: str = r'\{{"name": "{}", "{}": ') -> Any:
    """JSON objects, with patterns of what stands around them."""

    def write(text: Text, call_format: ToolFormat, calls: Calls) -> None:
        begin, end = re.escape(call_format.begin), re.escape(call_format.end)

        def one(name: str, arguments: Any) -> None:
            text.expect_pattern(call.format(re.escape(name), call_format.arguments_key))
            text.json(arguments)
            text.expect("}")

        text.expect_pattern(before.format(begin))
        text.joined([lambda call=call: one(*call) for call in calls], joint.format(begin, end))  # type: ignore[misc]
        text.expect_pattern(after.format(end))

    return write


def _args(text: Text, call_format: ToolFormat, calls: Calls) -> None:
    for name, arguments in calls:
        text.expect(f"[TOOL_CALLS]{name}[ARGS]")
        text.json(arguments)


def _harmony(text: Text, call_format: ToolFormat, calls: Calls) -> None:
    text.expect_pattern(r"(<\|channel\|>analysis<\|message\|>(?s:.*?)<\|end\|><\|start\|>assistant)?")
    ((name, arguments),) = calls
    text.expect(f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>")
    text.json(arguments)


def _marked(text: Text, call_format: MarkedCalls, calls: Calls) -> None:
    def one(name: str, arguments: Any) -> None:
        text.expect(f"{call_format.before}{name}")
        text.expect_pattern(re.escape(call_format.between) or r":[0-9]+<\|tool_call_argument_begin\|>")
        text.json(arguments)
        text.expect(call_format.after)

    text.expect_pattern("\n?\n?" + re.escape(call_format.begin))
    text.joined([lambda call=call: one(*call) for call in calls], re.escape(call_format.joint))  # type: ignore[misc]
    text.expect(call_format.end)


def _tags(text: Text, call_format: XmlCalls, calls: Calls) -> None:
    def loosely(output: str) -> None:
        text.expect_pattern(re.escape(output).replace("\\\n", r"\n?").replace("\n", r"\n?"))

    def value(one: Any) -> None:
        bare = one if isinstance(one, str) else next((w for w, v in _WORDS.items() if v is one), "")

        def as_text() -> None:
            text.expect(bare)
            loosely(call_format.value_end)

        def as_json() -> None:
            text.json(one)
            loosely(call_format.value_end)

        text.one_of(*([as_text] if bare or one == "" else []), as_json)

    def call(name: str, arguments: dict[str, Any]) -> None:
        loosely(call_format.opening.format(name=name))
        for key, one in arguments.items():
            ways = [call_format.argument.format(key=key, string=kind) for kind in ("true", "false")]
            text.one_of(*(lambda way=way: loosely(way) for way in ways))
            value(one)
        loosely(call_format.closing_text)

    is_section = not call_format.opening.startswith(call_format.begin)
    text.expect_pattern("\n?\n?" + (re.escape(call_format.begin) + "\n" if is_section else ""))
    text.joined([lambda one=one: call(*one) for one in calls], "\n?")  # type: ignore[misc]
    text.expect(call_format.end if is_section else "")


def _gemma(text: Text, call_format: GemmaCalls, calls: Calls) -> None:
    def string(one: str) -> None:
        text.expect(f"{call_format.quote}{one}{call_format.quote}")

    def member(key: str, one: Any) -> None:
        text.one_of(lambda: string(key), lambda: text.expect(key))
        text.expect(":")
        value(one)

    def value(one: Any) -> None:
        if isinstance(one, str):
            string(one)
        elif isinstance(one, dict):
            text.expect("{")
            text.joined([lambda pair=pair: member(*pair) for pair in one.items()], ",")  # type: ignore[misc]
            text.expect("}")
        elif isinstance(one, list):
            text.expect("[")
            text.joined([lambda each=each: value(each) for each in one], ",")  # type: ignore[misc]
            text.expect("]")
        else:
            text.json(one)

    for name, arguments in calls:
        text.expect(f"{call_format.begin}call:{name}")
        value(arguments)
        text.expect(call_format.end)


def _python(before: str, joint: str, after: str) -> Any:
    def write(text: Text, call_format: ToolFormat, calls: Calls) -> None:
        def argument(key: str, one: Any) -> None:
            text.expect(f"{key}=")
            text.json(one)

        def call(name: str, arguments: dict[str, Any]) -> None:
            text.expect(f"{name}(")
            text.joined([lambda pair=pair: argument(*pair) for pair in arguments.items()], ", ")  # type: ignore[misc]
            text.expect(")")

        text.expect_pattern(before.format(re.escape(call_format.begin)))
        text.joined([lambda one=one: call(*one) for one in calls], joint)  # type: ignore[misc]
        text.expect_pattern(after.format(re.escape(call_format.end)))

    return write


_NUMBERED = r'\{{"tool_call_id": "[0-9]+", "tool_name": "{}", "{}": '
WRITERS: Sequence[tuple[type[ToolFormat] | str, Any]] = (
    ("hermes", _objects("\n?\n?{}\n", "\n{1}\n{0}\n", "\n{}")),
    ("llama3_json", _objects("", "", "")),
    ("llama4_json", _objects("", "", "")),
    ("mistral_args", _args),
    ("command_r", _objects(r"{}\[\n    ", ",\n    ", r"\n\]{}", _NUMBERED)),
    ("harmony", _harmony),
    ("pythonic", _python(r"{}\[", ", ", r"\]{}")),
    ("llama4_python", _python(r"\[", ", ", r"\]")),
    ("olmo", _python("{}", "\n", "{}")),
    (MarkedCalls, _marked),
    (XmlCalls, _tags),
    (GemmaCalls, _gemma),
    *((name, _objects(r"{}\[", ", ", r"\]{}")) for name in ("mistral_list", "phi", "functools", "granite")),
)
