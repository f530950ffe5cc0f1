"""Calls in tags: values typed by the tool's schema, read back as templates write them, and as a grammar."""

import json
from typing import Any

import llguidance
import llguidance.hf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.families.deepseek import DsmlCalls
from inference.adapters.families.glm import GlmCalls
from inference.adapters.families.minimax import MiniMaxCalls
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.tool_formats import FORMATS, Hermes, detect_format
from inference.adapters.tool_calls.xml import FunctionXml, XmlCalls
from inference.core.requests import Tool
from tests.adapters.family_models import ADD, NOW, real

PLACE = Tool(
    name="place",
    parameters=json.dumps(
        {
            "type": "object",
            "$defs": {"days": {"type": "array", "items": {"type": "integer"}}},
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["C", "F"]},
                "days": {"$ref": "#/$defs/days"},
                "sea": {"type": "boolean"},
                "note": {"type": ["string", "null"]},
            },
            "required": ["city"],
        }
    ),
)
TOOLS = {tool.name: tool for tool in (ADD, NOW, PLACE)}
TOKENIZER = real("qwen3", "qwen3")[1]
TEXTS = st.text("a1</>=&\"'{}é\n ", max_size=12)


def written(name: str, arguments: dict[str, Any]) -> str:
    """The body of a call as the templates write it."""
    parameters = "".join(
        f"<parameter={key}>\n{value if isinstance(value, str) else json.dumps(value)}\n</parameter>\n"
        for key, value in arguments.items()
    )
    return f"\n<function={name}>\n{parameters}</function>\n"


def parsed(body: str) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) for name, text in FunctionXml(TOKENIZER).parse(body, TOOLS)]


@given(TEXTS, st.lists(st.integers()), st.booleans())
@settings(deadline=None)
def test_what_a_template_writes_is_read_back(city: str, days: list[int], sea: bool) -> None:
    arguments = {"city": city, "days": days, "sea": sea}
    assert parsed(written("place", arguments)) == [("place", arguments)]


@given(st.text('<function=add></parameter=a>\n1"{}', max_size=40))
@settings(deadline=None)
def test_nonsense_is_no_failure(body: str) -> None:
    assert all(isinstance(arguments, dict) for _, arguments in parsed(body))


@pytest.mark.parametrize(
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


# How each manner writes two arguments of a call, and one of these with its closing tag left out.
MANNERS = {
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


@pytest.mark.parametrize("format_of", MANNERS)
def test_a_closing_tag_that_is_forgotten_before_another_argument_leaves_no_call(
    format_of: type[XmlCalls],
) -> None:
    written, closing = MANNERS[format_of]
    assert called(written.format("Rome"), format_of) == [("place", {"city": "Rome", "note": "by"})]
    assert called(written.format("Rome").replace(closing, "", 1), format_of) == []
    assert called(written.format("Rome").replace(closing, ""), format_of) == []


@pytest.mark.parametrize("format_of", MANNERS)
def test_a_value_may_hold_any_tag_that_does_not_open_another_argument(format_of: type[XmlCalls]) -> None:
    written, closing = MANNERS[format_of]
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


@pytest.mark.parametrize(
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


def tool_of(**properties: Any) -> Tool:
    schema = {
        "$defs": {
            "text": {"type": "string"},
            "alias": {"$ref": "#/$defs/text"},
            "number": {"type": "integer"},
            "maybe": {"anyOf": [{"$ref": "#/$defs/alias"}, {"type": "null"}]},
            "kind": {"enum": ["12345", "true"]},
        },
        "definitions": {"old": {"allOf": [{"$ref": "#/$defs/text"}, {"minLength": 1}]}},
        "properties": properties,
    }
    return Tool(name="find", parameters=json.dumps(schema))


@pytest.mark.parametrize("output", ["12345", "true", "null", "1e5", '{"a": 1}', "[1]", "None", '"a"', " 7"])
@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/text"},
        {"$ref": "#/$defs/alias"},
        {"$ref": "#/definitions/old"},
        {"$ref": "#/properties/other"},
        {"allOf": [{"$ref": "#/$defs/alias"}], "description": "as Pydantic writes it"},
        {"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/definitions/old"}]},
        {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 4}]},
        {"type": ["string"]},
    ],
)
@pytest.mark.parametrize("format_of", [FunctionXml, MiniMaxCalls, GlmCalls])
def test_a_string_stays_one_wherever_its_type_stands(
    format_of: type[XmlCalls], schema: Any, output: str
) -> None:
    tool = tool_of(place=schema, other={"type": "string"})
    kind = format_of(TOKENIZER)
    body = (
        kind.opening.removeprefix(kind.begin).format(name="find") + kind.argument.format(key="place") + output
    )
    body += kind.value_end + kind.closing_text.removesuffix(kind.end)
    ((_, arguments),) = kind.parse(body, {"find": tool})
    assert json.loads(arguments) == {"place": output}


@pytest.mark.parametrize(
    ("schema", "output", "value"),
    [
        ({"$ref": "#/$defs/number"}, "12345", 12345),
        ({"$ref": "#/$defs/maybe"}, "null", None),
        ({"$ref": "#/$defs/maybe"}, "12345", "12345"),
        ({"$ref": "#/$defs/kind"}, "true", "true"),
        ({"anyOf": [{"$ref": "#/$defs/number"}, {"type": "null"}]}, "None", None),
        ({"type": "number"}, "1e400", float("inf")),
        ({"type": "string", "nullable": True}, "null", None),
        ({"type": "array", "items": {"$ref": "#"}}, "['a', True]", ["a", True]),
    ],
)
def test_another_value_is_what_its_reference_says(schema: Any, output: str, value: Any) -> None:
    tool = tool_of(place=schema)
    ((_, arguments),) = FunctionXml(TOKENIZER).parse(written("find", {"place": output}), {"find": tool})
    assert json.loads(arguments) == {"place": value}


def test_a_parameter_that_cannot_be_written_is_left_out_or_refused() -> None:
    named = {"a\nb": {"type": "string"}, "c": {"type": "string"}}
    optional = Tool(name="find", parameters=json.dumps({"properties": named}))
    assert "<parameter=c>" in FunctionXml(TOKENIZER).lark([optional], several=False)
    required = Tool(name="find", parameters=json.dumps({"properties": named, "required": ["a\nb"]}))
    with pytest.raises(Unwritable, match="cannot be written"):
        FunctionXml(TOKENIZER).lark([required], several=False)


def is_allowed(output: str, *, several: bool = True) -> bool:
    grammar = FunctionXml(TOKENIZER).lark(list(TOOLS.values()), several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(TOKENIZER.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = TOKENIZER.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def call(name: str, **arguments: Any) -> str:
    return f"<tool_call>{written(name, arguments)}</tool_call>"


@pytest.mark.parametrize(
    "output",
    [
        call("add", a=1),
        call("now"),
        f"\n\n{call('now')}\n{call('add', a=1)}",
        call("place", city="Rome,\n{Italy}</parameter> <p>"),
        call("place", city="Rome", unit="C", days=[1, 2], sea=True, note="by"),
        call("place", city="", note=None),
    ],
)
def test_a_call_that_follows_its_schema_is_allowed_and_read(output: str) -> None:
    assert is_allowed(output)
    bodies = output.replace("</tool_call>", "").split("<tool_call>")[1:]
    assert all(parsed(body) for body in bodies)


@pytest.mark.parametrize(
    "output",
    [
        call("add"),
        call("add", a="one"),
        call("add", a=1, b=2),
        call("sub"),
        call("place", city="Rome", unit="K"),
        call("place", unit="C"),
        call("place", city="Rome", days=["one"]),
        call("place", city="Rome", sea=None),
        "Hello",
        "",
    ],
)
def test_any_other_call_is_not(output: str) -> None:
    assert not is_allowed(output)


def test_only_one_call_where_only_one_is_wanted() -> None:
    assert not is_allowed(f"{call('now')}\n{call('now')}", several=False)


def test_the_template_tells_it_from_the_same_tags_around_json() -> None:
    both = (*FORMATS, FunctionXml)
    assert detect_format("<tool_call>\\n<function=name>\\n<parameter=key>", both) is FunctionXml
    assert detect_format("<tool_call>{{ call | tojson }}", both) is Hermes
