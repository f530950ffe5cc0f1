"""What the grammar of any tools lets a model say comes back from the reader as exactly that call.

For every format there is, with random tools and texts that hold the format's own marks: whole, in every
split, and cut anywhere. Nightly, with MLXSITE_EXAMPLES=1000, it takes half an hour.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher

from inference.adapters import ADAPTERS
from inference.adapters.channel_reader import ChannelReader
from inference.adapters.harmony import HarmonyReader
from inference.adapters.harmony_calls import HarmonyCalls
from inference.adapters.piece import Piece
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.object_shapes import TooManyShapes
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool
from tests.adapters.call_writers import Mismatch, check_written
from tests.adapters.grammar_samples import GrammarSampler, closers_of, fragments_of, vocabulary

EXAMPLES = int(os.environ.get("MLXSITE_EXAMPLES", "3"))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def below(kind: type[ToolFormat]) -> Iterator[type[ToolFormat]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


assert ADAPTERS  # all families are imported, so all formats are
FORMATS = sorted(
    {one for one in below(ToolFormat) if one.__module__.startswith("inference.") and "name" in vars(one)},
    key=lambda one: one.name,
)
TOOL_NAMES = st.sampled_from(
    ["add", "from", "get-weather", "a.b", "None", "1st", "x_1", "function", "functions"]
)
KEYS = st.sampled_from(
    [
        *(
            "from",
            "class",
            "None",
            "true",
            "my-param",
            "a.b",
            "$ref",
            "enum",
            "default",
            "type",
            "name",
            "arguments",
        ),
        *(
            "a",
            "b",
            "x y",
            "ключ",
            "",
            " a",
            "a:b",
            "a,b",
            'a"b',
            "<k>",
            "k>",
            "'q'",
            "a=b",
            "a\nb",
            "[0]",
            "k{}",
        ),
    ]
)
SCALARS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"type": ["integer", "string"]},
        {"anyOf": [{"type": "number"}, {"type": "string"}]},
        {"anyOf": [{"$ref": "#/$defs/text"}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/$defs/text"}]},
        {"$ref": "#/$defs/text"},
        {"$ref": "#/$defs/list"},
        {"$ref": "#/$defs/tree"},
        {"enum": ["12345", "true", "None", "a b", "</parameter>", '<|"|>', "]", "'"]},
        {"enum": ["a", 1, None, True, [1, "x"], {"k": "v"}]},
        {"const": "12345"},
        {"const": 7},
        {"type": "integer", "minimum": -3, "maximum": 12},
        {},
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "array"},
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(lambda one: {"anyOf": [one, {"type": "null"}]}, inner)
        | st.builds(
            lambda members: {"type": "object", "properties": members, "additionalProperties": False},
            st.dictionaries(KEYS, inner, max_size=2),
        )
    ),
    max_leaves=3,
)
DEFINITIONS = {
    "text": {"type": "string"},
    "list": {"type": "array", "items": {"$ref": "#/$defs/text"}},
    "tree": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "below": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
        "required": ["name"],
        "additionalProperties": False,
    },
}


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    members = draw(st.dictionaries(KEYS, VALUES, max_size=4))
    required = [key for key in members if draw(st.booleans())]
    made: dict[str, Any] = {
        "type": "object",
        "properties": members,
        "required": required,
        "$defs": DEFINITIONS,
    }
    return made if draw(st.integers(0, 3)) == 0 else {**made, "additionalProperties": False}


TOOLS = st.lists(st.tuples(TOOL_NAMES, parameters()), min_size=1, max_size=2, unique_by=lambda one: one[0])


def reader_of(call_format: ToolFormat, tools: Sequence[Tool], several: bool) -> ChannelReader:
    """The reader of an answer that has to be a call, as the adapters make it."""
    known = {tool.name: tool for tool in tools}
    if isinstance(call_format, HarmonyCalls):
        return HarmonyReader(call_format, known, several=several, is_forced=True)
    return ChannelReader(calls=CallReader(call_format, known, several=several, is_forced=True))


ParsedAnswer = tuple[str, tuple[tuple[str, str], ...]]


def parse_answer(reader: ChannelReader, pieces: Sequence[str], *, is_cut: bool = False) -> ParsedAnswer:
    """The text, and each call's name and arguments."""
    read: list[Piece] = [piece for text in pieces for piece in reader.feed(text)]
    read += reader.flush(is_cut=is_cut)
    names = {piece.call: piece.name for piece in read if piece.name}
    calls = tuple(
        (name, "".join(piece.text for piece in read if piece.channel == "tool" and piece.call == call))
        for call, name in names.items()
    )
    return "".join(piece.text for piece in read if piece.channel == "text"), calls


def drawn(
    format_of: type[ToolFormat], tools: Sequence[Tool], several: bool, has_marks: bool, seed: int
) -> tuple[ToolFormat, str]:
    vocab = vocabulary(*dict.fromkeys(format_of(vocabulary().tokenizer).marks if has_marks else ()))
    call_format = format_of(vocab.tokenizer)
    try:
        grammar = call_format.lark(tools, several)
    except (Unwritable, TooManyShapes):
        assume(False)
    matcher = LLMatcher(vocab.grammars, grammar, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    keys = [key for tool in tools for key in json.loads(tool.parameters)["properties"]]
    fragments = fragments_of(call_format, [tools[0].name, *keys])
    return call_format, vocab.tokenizer.decode(
        GrammarSampler(vocab, matcher, seed, fragments, closers_of(call_format)).answer()
    )


def agreeing(
    check: Callable[[ToolFormat, Sequence[Tool], bool, str], None],
) -> Callable[[type[ToolFormat]], None]:
    """A test of what is drawn from the grammars of random tools."""

    def test(format_of: type[ToolFormat]) -> None:
        @SETTINGS
        @given(TOOLS, st.booleans(), st.booleans(), st.integers(0, 2**32))
        def tried(made: list[tuple[str, Any]], several: bool, has_marks: bool, seed: int) -> None:
            tools = [Tool(name=name, parameters=json.dumps(schema)) for name, schema in made]
            call_format, output = drawn(format_of, tools, several, has_marks, seed)
            check(call_format, tools, several, output)

        tried()

    return test


# OpenAPI's word for it, and JSON Schema's.
NULLABLE = ('{"type": "string", "nullable": true}', '{"type": ["string", "null"]}')


def finite(digits: str) -> float:
    """What the validator can take of a number that is too large for a float."""
    return max(-1e300, min(1e300, float(digits)))


def is_read_back(call_format: ToolFormat, tools: Sequence[Tool], several: bool, output: str) -> None:
    text, calls = parse_answer(reader_of(call_format, tools, several), [output])
    assert (text, bool(calls)) == ("", True), output
    for name, arguments in calls:
        schema = json.loads(next(tool.parameters for tool in tools if tool.name == name).replace(*NULLABLE))
        jsonschema_rs.validate(schema, json.loads(arguments, parse_float=finite))
    try:
        check_written(call_format, [(name, json.loads(arguments)) for name, arguments in calls], output)
    except Mismatch as mismatch:
        raise AssertionError(f"{calls} is not what was said: {output!r}") from mismatch


def is_the_same_in_every_split(
    call_format: ToolFormat, tools: Sequence[Tool], several: bool, output: str
) -> None:
    whole = parse_answer(reader_of(call_format, tools, several), [output])
    assert parse_answer(reader_of(call_format, tools, several), list(output)) == whole
    for at in range(1, len(output)):
        assert parse_answer(reader_of(call_format, tools, several), [output[:at], output[at:]]) == whole


def has_no_marks_wherever_it_is_cut(
    call_format: ToolFormat, tools: Sequence[Tool], several: bool, output: str
) -> None:
    _, whole = parse_answer(reader_of(call_format, tools, several), [output])
    for at in range(len(output)):
        text, calls = parse_answer(reader_of(call_format, tools, several), [output[:at]], is_cut=True)
        assert text == "", output[:at]
        assert [name for name, _ in calls] == [name for name, _ in whole[: len(calls)]]
        for (_, partial), (_, complete) in zip(calls, whole, strict=False):
            assert complete.startswith(partial), output[:at]


NAMES = [one.name for one in FORMATS]
test_what_the_grammar_allows_is_read_as_that_call = pytest.mark.parametrize("format_of", FORMATS, ids=NAMES)(
    agreeing(is_read_back)
)
test_it_is_the_same_call_in_every_split = pytest.mark.parametrize("format_of", FORMATS, ids=NAMES)(
    agreeing(is_the_same_in_every_split)
)
test_where_it_is_cut_no_mark_is_text = pytest.mark.parametrize("format_of", FORMATS, ids=NAMES)(
    agreeing(has_no_marks_wherever_it_is_cut)
)
