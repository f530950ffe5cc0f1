"""Calls are read the same way however the answer is cut, and what is no call is text."""

import json
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.piece import Piece
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import Hermes, Llama3Json, MistralArgs, MistralList
from inference.core.requests import Tool
from tests.each import each

THINK = ("<think>", "</think>")
TOOLS = {name: Tool(name=name) for name in ("add", "now")}


class Tagged(ToolFormat):
    """Calls that are no JSON: <call>name:value¦name:value</call>."""

    begin, end = "<call>", "</call>"
    is_parsed_whole = True

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        parts = [part.partition(":") for part in body.split("¦")]
        return [(name.strip(), value) for name, found, value in parts if found]


FORMATS = [Hermes, Llama3Json, MistralList, MistralArgs, Tagged]


class NoVocabulary:
    added_ids: frozenset[int] = frozenset()

    def id_of(self, token: str) -> int | None:
        return None


def reader(format_of: type[ToolFormat], *, several: bool = True) -> ChannelReader:
    calls = CallReader(format_of(NoVocabulary()), TOOLS, several=several)
    return ChannelReader(reasoning=THINK, calls=calls)


def fed(reader: ChannelReader, text: str, cuts: Sequence[int] = ()) -> list[Piece]:
    edges = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    pieces: list[Piece] = []
    for start, end in zip(edges, edges[1:], strict=False):
        pieces += reader.feed(text[start:end])
    return pieces + reader.flush()


def joined(pieces: Sequence[Piece]) -> list[tuple[str, ...]]:
    """(channel, text) of each run, and (channel, name, arguments) of each call."""
    runs: list[list[str]] = []
    for piece in pieces:
        if piece.name:
            runs.append(["tool", piece.name, ""])
        elif runs and runs[-1][0] == piece.channel:
            runs[-1][-1] += piece.text
        else:
            runs.append([piece.channel, piece.text])
    return [tuple(run) for run in runs]


def read(format_of: type[ToolFormat], text: str, cuts: Sequence[int] = ()) -> list[tuple[str, ...]]:
    return joined(fed(reader(format_of), text, cuts))


ONE = {
    Hermes: '<tool_call>\n{"name": "add", "arguments": …}\n</tool_call>',
    Llama3Json: '<|python_tag|>{"name": "add", "parameters": …}',
    MistralList: '[TOOL_CALLS][{"name": "add", "arguments": …}]',
    MistralArgs: "[TOOL_CALLS]add[ARGS]…",
    Tagged: "<call>add:…</call>",
}
ARGUMENTS = st.dictionaries(
    st.text('ab"\\{}[]é', max_size=4),
    st.recursive(
        st.text('a"\\{}[]<>é\n', max_size=6) | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
).map(json.dumps)
CUTS = st.lists(st.integers(0, 200), max_size=24)
SCRAPS = [
    *("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>", "<think>", "</think>"),
    *(
        '{"name": "',
        "add",
        "now",
        "sub",
        '", "arguments": ',
        '", "parameters": ',
        '{"type": "function", "name": "',
    ),
    *("<call>", "</call>", "add:", "now:", "sub:", "¦"),
    *("{", "}", "{}", '{"a": "}"', "[", "]", ",", ";", '"', "\\", " ", "\n", "hm", "<tool", "[TOOL"),
]


@pytest.mark.parametrize("format_of", FORMATS)
@given(fragments=st.lists(st.sampled_from(SCRAPS), max_size=14).map("".join), cuts=CUTS)
def test_any_cut_gives_the_same_pieces(format_of: type[ToolFormat], fragments: str, cuts: list[int]) -> None:
    assert read(format_of, fragments, cuts) == read(format_of, fragments)


@pytest.mark.parametrize("format_of", FORMATS)
@given(
    arguments=st.lists(ARGUMENTS, min_size=1, max_size=3),
    before=st.sampled_from(["", "Let me see."]),
    cuts=CUTS,
)
def test_calls_have_the_arguments_that_the_model_wrote(
    format_of: type[ToolFormat], arguments: list[str], before: str, cuts: list[int]
) -> None:
    output = "\n".join([before, *(ONE[format_of].replace("…", one) for one in arguments)])
    expected = [("text", before)] if before else []
    assert read(format_of, output, cuts) == [*expected, *(("tool", "add", one) for one in arguments)]


@pytest.mark.parametrize("format_of", FORMATS)
@given(fragments=st.lists(st.sampled_from(SCRAPS), max_size=14).map("".join))
def test_no_text_is_lost(format_of: type[ToolFormat], fragments: str) -> None:
    """All that is missing from the channels is marks, white space around calls, and what frames arguments."""
    pieces = fed(reader(format_of), fragments)
    text = "".join(piece.text for piece in pieces)
    assert text.count("hm") == fragments.count("hm")
    if not any(piece.channel == "tool" for piece in pieces):
        assert bare(text) == bare(fragments)


def bare(text: str) -> str:
    return re.sub(r"</?think>|\n", "", text)


@pytest.mark.parametrize("format_of", FORMATS)
@given(text=st.text("ab <{[}\n", max_size=30), cuts=CUTS)
def test_text_that_is_no_call_stays_as_it_is(format_of: type[ToolFormat], text: str, cuts: list[int]) -> None:
    pieces = fed(reader(format_of), text, cuts)
    assert "".join(piece.text for piece in pieces if piece.channel == "text") == text


def test_calls_of_another_notation_are_reported_at_their_end() -> None:
    output = "<call>add:1¦now:2</call> and <call>sub:3</call>"
    assert read(Tagged, output) == [
        ("tool", "add", "1"),
        ("tool", "now", "2"),
        ("text", "and <call>sub:3</call>"),
    ]
    one = joined(fed(reader(Tagged, several=False), output))
    assert one == [("tool", "add", "1")]


def test_the_arguments_are_streamed_as_they_arrive() -> None:
    made = reader(Hermes)
    steps = [
        [(p.name, p.text) for p in made.feed(piece)]
        for piece in ('<tool_call>{"name": "add", "argu', 'ments": {"a', '": 1', "}}", "</tool_call>")
    ]
    assert steps == [[], [("add", ""), ("", '{"a')], [("", '": 1')], [("", "}")], []]


def test_calls_are_numbered_and_each_has_an_id() -> None:
    output = ONE[Hermes].replace("…", "{}")
    begun = [piece for piece in fed(reader(Hermes), f"{output}\n{output}") if piece.name]
    assert [piece.call for piece in begun] == [0, 1]
    assert len({piece.id for piece in begun} - {""}) == 2


@each(
    ("format_of", "output", "expected"),
    [
        (
            Hermes,
            '<tool_call>{"arguments": {"a": 1}, "name": "add"}</tool_call>',
            ("tool", "add", '{"a": 1}'),
        ),
        (
            Hermes,
            '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1}"}</tool_call>',
            ("tool", "add", '{"a": 1}'),
        ),
        (Hermes, '<tool_call>{"name": "now"}</tool_call>', ("tool", "now", "{}")),
        (Hermes, '<tool_call>{"name": "now", "arguments": null}</tool_call>', ("tool", "now", "{}")),
        (Hermes, '<tool_call>{"name": "add", "arguments": {"a": 1}</tool_call>', ("tool", "add", '{"a": 1}')),
        (Llama3Json, '{"type": "function", "name": "now", "parameters": {}}', ("tool", "now", "{}")),
        (Llama3Json, ' {"name": "now", "arguments": {}}', ("tool", "now", "{}")),
        (MistralList, '[TOOL_CALLS] {"name": "now", "arguments": {}}', ("tool", "now", "{}")),
        (MistralList, '[TOOL_CALLS][{"name": "now", "arguments": {}, "id": "a}b"}]', ("tool", "now", "{}")),
        (MistralArgs, "[TOOL_CALLS]now[CALL_ID]a1b2c3d4e[ARGS]{}", ("tool", "now", "{}")),
    ],
)
def test_what_models_make_of_their_manner_is_a_call_too(
    format_of: type[ToolFormat], output: str, expected: tuple[str, ...]
) -> None:
    assert read(format_of, output) == [expected] == read(format_of, output, range(len(output)))


@each(
    ("format_of", "output"),
    [
        (Hermes, '<tool_call>\n{"name": "sub", "arguments": {}}\n</tool_call>'),
        (Hermes, '<tool_call>\n{"name": 1, "arguments": {}}\n</tool_call>'),
        (Hermes, "<tool_call>\n{name: add}\n</tool_call> and more"),
        (Hermes, "<tool_call>\n<function=add>\n</tool_call>"),
        (Hermes, "The tag <tool_call> opens a call."),
        (Hermes, '<tool_call>\n{"name": "add", "argum'),
        (Llama3Json, '{"city": "Paris"}'),
        (Llama3Json, '{"name": "Ann", "parameters": {}}'),
        (Llama3Json, 'Say {"name": "add", "parameters": {}}'),
        (Llama3Json, '<|python_tag|>brave_search.call(query="x")'),
        (MistralList, "[TOOL_CALLS][]"),
        (MistralArgs, "[TOOL_CALLS]sub[ARGS]{}"),
        (MistralArgs, "[TOOL_CALLS]add"),
    ],
)
def test_what_is_no_call_comes_back_unchanged(format_of: type[ToolFormat], output: str) -> None:
    assert read(format_of, output) == [("text", output)] == read(format_of, output, range(len(output)))


def test_a_name_that_cannot_be_known_yet_is_not_waited_for_longer_than_needed() -> None:
    made = reader(Hermes)
    made.feed("<tool_call>")
    assert joined(made.feed(" opens a")) == [("text", "<tool_call> opens a")]


def test_an_answer_in_json_is_streamed_as_it_arrives() -> None:
    assert joined(reader(Llama3Json).feed('{"city": ')) == [("text", '{"city":')]


def test_a_call_cut_off_keeps_what_it_had() -> None:
    assert read(Hermes, '<tool_call>\n{"name": "add", "arguments": {"a": [1, ') == [
        ("tool", "add", '{"a": [1, ')
    ]


def test_text_after_a_call_is_text() -> None:
    output = ONE[Hermes].replace("…", "{}") + "\n\nThat is all."
    assert read(Hermes, output) == [("tool", "add", "{}"), ("text", "That is all.")]


def test_a_call_that_is_only_thought_of_is_none() -> None:
    output = ONE[Hermes].replace("…", "{}")
    assert read(Hermes, f"<think>{output}</think>No.") == [("reasoning", output), ("text", "No.")]


def test_where_one_call_is_allowed_nothing_follows_it() -> None:
    made = reader(Hermes, several=False)
    output = ONE[Hermes].replace("…", "{}")
    assert joined(fed(made, output + output)) == [("tool", "add", "{}")]
    assert made.is_done
