"""Calls in tags: values typed by the tool's schema, and the grammar of required calls."""

import json
from typing import Any

import llguidance
import llguidance.hf
import pytest

from inference.adapters.families.glm import GlmCalls
from inference.adapters.families.minimax import MiniMaxCalls
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.tool_formats import FORMATS, Hermes, detect_format
from inference.adapters.tool_calls.xml import FunctionXml, XmlCalls
from inference.core.requests import Tool
from tests.adapters.family_models import ADD, NOW, real
from tests.each import each

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


def written(name: str, arguments: dict[str, Any]) -> str:
    """The body of a call as the templates write it."""
    parameters = "".join(
        f"<parameter={key}>\n{value if isinstance(value, str) else json.dumps(value)}\n</parameter>\n"
        for key, value in arguments.items()
    )
    return f"\n<function={name}>\n{parameters}</function>\n"


def parsed(body: str) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) for name, text in FunctionXml(TOKENIZER).parse(body, TOOLS)]


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


TEXTS = ["12345", "true", "null", "1e5", '{"a": 1}', "[1]", "None", '"a"', " 7"]


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
    format_of: type[XmlCalls], schema: Any, subtests: pytest.Subtests
) -> None:
    tool = tool_of(place=schema, other={"type": "string"})
    kind = format_of(TOKENIZER)
    before = kind.opening.removeprefix(kind.begin).format(name="find") + kind.argument.format(key="place")
    behind = kind.value_end + kind.closing_text.removesuffix(kind.end)
    for output in TEXTS:
        with subtests.test(output):
            ((_, arguments),) = kind.parse(before + output + behind, {"find": tool})
            assert json.loads(arguments) == {"place": output}


@each(
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


@each(
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


@each(
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


def test_the_template_distinguishes_it_from_the_same_tags_around_json() -> None:
    both = (*FORMATS, FunctionXml)
    assert detect_format("<tool_call>\\n<function=name>\\n<parameter=key>", both) is FunctionXml
    assert detect_format("<tool_call>{{ call | tojson }}", both) is Hermes
