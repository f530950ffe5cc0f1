"""Calls in tags: values typed by the tool's schema, read back as templates write them, and as a grammar."""

import json
from typing import Any

import llguidance
import llguidance.hf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.tool_formats import FORMATS, Hermes, written_by
from inference.adapters.xml_calls import FunctionXml, is_string, typed
from inference.requests import Tool
from tests.adapters.families import ADD, NOW, real

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


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("12", {"type": "string"}, "12"),
        ("12", {"enum": ["12", "13"]}, "12"),
        ("12", {"type": "integer"}, 12),
        ("12.0", {"type": "integer"}, 12),
        ("12", {"type": "number"}, 12),
        ("12", {"type": ["string", "null"]}, "12"),
        ("null", {"type": ["string", "null"]}, None),
        ('"a"', {"type": ["string", "null"]}, '"a"'),
        ('"a"', {}, "a"),
        ("null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ("12", {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/x"}]}, 12),
        ("True", {"type": "boolean"}, True),
        ("None", {}, None),
        ('["a"]', {"type": "array"}, ["a"]),
        ("a b", {"type": "integer"}, "a b"),
        ("NaN", {"type": "number"}, "NaN"),
        ("[" * 9999, {}, "[" * 9999),
        ('{"a": 1}', None, {"a": 1}),
        ("a", True, "a"),
    ],
)
def test_a_value_is_what_the_schema_asks_for(text: str, schema: Any, value: Any) -> None:
    found = typed(text, schema)
    assert (type(found), found) == (type(value), value)


def test_only_a_string_and_nothing_else_is_said_bare() -> None:
    assert is_string({"type": "string"})
    assert not any(
        is_string(schema) for schema in ({"type": ["string", "null"]}, {}, None, {"enum": ["a", 1]})
    )


def is_allowed(said: str, *, several: bool = True) -> bool:
    grammar = FunctionXml(TOKENIZER).lark(list(TOOLS.values()), several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(TOKENIZER.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = TOKENIZER.encode(said)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def call(name: str, **arguments: Any) -> str:
    return f"<tool_call>{written(name, arguments)}</tool_call>"


@pytest.mark.parametrize(
    "said",
    [
        call("add", a=1),
        call("now"),
        f"\n\n{call('now')}\n{call('add', a=1)}",
        call("place", city="Rome,\n{Italy}</parameter> <p>"),
        call("place", city="Rome", unit="C", days=[1, 2], sea=True, note="by"),
        call("place", city="", note=None),
    ],
)
def test_a_call_that_follows_its_schema_is_allowed_and_read(said: str) -> None:
    assert is_allowed(said)
    bodies = said.replace("</tool_call>", "").split("<tool_call>")[1:]
    assert all(parsed(body) for body in bodies)


@pytest.mark.parametrize(
    "said",
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
def test_any_other_call_is_not(said: str) -> None:
    assert not is_allowed(said)


def test_only_one_call_where_only_one_is_wanted() -> None:
    assert not is_allowed(f"{call('now')}\n{call('now')}", several=False)


def test_the_template_tells_it_from_the_same_tags_around_json() -> None:
    both = (*FORMATS, FunctionXml)
    assert written_by("<tool_call>\\n<function=name>\\n<parameter=key>", both) is FunctionXml
    assert written_by("<tool_call>{{ call | tojson }}", both) is Hermes
