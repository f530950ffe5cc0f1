"""Calls in tags are read as templates write them, and what is ambiguous is no call."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.families.deepseek import DsmlCalls
from inference.adapters.families.minimax import MiniMaxCalls
from inference.adapters.tool_calls.xml import FunctionXml, XmlCalls
from inference.core.requests import Tool
from tests.adapters.tool_calls.test_xml import TOKENIZER, TOOLS, parsed, written
from tests.each import each

TEXTS = st.text("a1</>=&\"'{}é\n ", max_size=12)


@given(TEXTS, st.lists(st.integers()), st.booleans())
@settings(deadline=None)
def test_what_a_template_writes_is_read_back(city: str, days: list[int], sea: bool) -> None:
    arguments = {"city": city, "days": days, "sea": sea}
    assert parsed(written("place", arguments)) == [("place", arguments)]


@given(st.text('<function=add></parameter=a>\n1"{}', max_size=40))
@settings(deadline=None)
def test_nonsense_is_no_failure(body: str) -> None:
    assert all(isinstance(arguments, dict) for _, arguments in parsed(body))


@each(
    ("body", "calls"),
    [
        ("<function=add><parameter=a>1</parameter></function>", [("add", {"a": 1})]),
        ("<function=now></function>", [("now", {})]),
        (written("now", {}) + written("add", {"a": 2}), [("now", {}), ("add", {"a": 2})]),
        (
            written("place", {"city": "<b>\n</parameter>\n</b>"}),
            [("place", {"city": "<b>\n</parameter>\n</b>"})],
        ),
        (written("place", {"city": "5", "note": "5"}), [("place", {"city": "5", "note": "5"})]),
        (written("add", {"a": "one"}), [("add", {"a": "one"})]),
        ("<function=add><parameter=a>1</function>", []),
        ("<function=add>1</function>", []),
        ("<function=sub></function>", []),
        (written("add", {"a": 1}) + "and more", []),
        ("add(1)", []),
        ("", []),
    ],
)
def test_calls_are_read_as_they_are_meant(body: str, calls: list[tuple[str, Any]]) -> None:
    assert parsed(body) == calls


def called(body: str, format_of: type[XmlCalls] = FunctionXml) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) for name, text in format_of(TOKENIZER).parse(body, TOOLS)]


# How each format writes two arguments of a call, and one of these with its closing tag left out.
TAGGED = {
    FunctionXml: (
        "<function=place>\n<parameter=city>\n{}\n</parameter>\n<parameter=note>\nby\n</parameter>\n</function>\n",
        "</parameter>",
    ),
    MiniMaxCalls: (
        '<invoke name="place">\n<parameter name="city">{}</parameter>\n'
        '<parameter name="note">by</parameter>\n</invoke>\n',
        "</parameter>",
    ),
    DsmlCalls: (
        '<｜DSML｜invoke name="place">\n<｜DSML｜parameter name="city" string="true">{}</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="note" string="true">by</｜DSML｜parameter>\n</｜DSML｜invoke>\n',
        "</｜DSML｜parameter>",
    ),
}


@each("format_of", TAGGED)
def test_a_closing_tag_that_is_forgotten_before_another_argument_leaves_no_call(
    format_of: type[XmlCalls],
) -> None:
    written, closing = TAGGED[format_of]
    assert called(written.format("Rome"), format_of) == [("place", {"city": "Rome", "note": "by"})]
    assert called(written.format("Rome").replace(closing, "", 1), format_of) == []
    assert called(written.format("Rome").replace(closing, ""), format_of) == []


@each("format_of", TAGGED)
def test_a_value_may_hold_any_tag_that_does_not_open_another_argument(format_of: type[XmlCalls]) -> None:
    written, closing = TAGGED[format_of]
    kind = format_of(TOKENIZER)
    for mark in (
        kind.end,
        kind.begin,
        kind.call_end,
        f"{closing} and",
        f"{kind.end}\n{kind.begin}",
        "</tool_call>",
    ):
        assert called(written.format(f"a {mark} b"), format_of) == [
            ("place", {"city": f"a {mark} b", "note": "by"})
        ]


def test_a_balanced_argument_within_a_value_is_a_part_of_it() -> None:
    value = "see <parameter=note>this</parameter> here"
    assert called(written("place", {"city": value})) == [("place", {"city": value})]


def test_a_list_may_hold_what_ends_its_argument_and_its_call() -> None:
    inside = "</parameter></function></tool_call>"
    tools = {"find": Tool(name="find", parameters='{"properties": {"texts": {"type": "array"}}}')}
    body = written("find", {"texts": [inside, "x"]})
    for output in (body, body.replace('"', "'")):
        ((name, text),) = FunctionXml(TOKENIZER).parse(output, tools)
        assert (name, json.loads(text)) == ("find", {"texts": [inside, "x"]})
    assert FunctionXml(TOKENIZER).can_continue(body[: body.index("</tool_call>")], tools)


@each(
    "body",
    [
        "<function=place><parameter=days>[1, 2</parameter></function>",
        "<function=place><parameter=city>a</parameter><parameter=city>b</parameter></function>",
        "<function=place><parameter=city>a</parameter> b</function>",
        "<function=place>b<parameter=city>a</parameter></function>",
    ],
)
def test_what_cannot_be_read_for_certain_is_no_call(body: str) -> None:
    assert called(body) == []
