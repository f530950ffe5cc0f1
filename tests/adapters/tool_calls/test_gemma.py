"""The notation of Gemma's calls, read and as a grammar: what a template writes is read back the same."""

import json
import math
from typing import Any

import llguidance
import llguidance.hf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.tool_calls.gemma import FunctionGemmaCalls, GemmaCalls
from inference.core.requests import Tool
from tests.adapters.families.test_gemma import FUNCTION_GEMMA, TOKENS_4, TOKENS_FUNCTION
from tests.adapters.family_models import ADD, NOW
from tests.adapters.parsed_answers import family, follows_grammar
from tests.adapters.published_templates import published
from tests.each import each

FORMATS = {
    GemmaCalls: family("gemma4", published("gemma_4"), TOKENS_4)[1],
    FunctionGemmaCalls: family("gemma3", FUNCTION_GEMMA, TOKENS_FUNCTION)[1],
}
TEXTS = st.text('ab"\\{}[],:é\n ', max_size=6)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_1", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.text("abz_19", min_size=1, max_size=4)


def noted(value: Any, quote: str) -> str:
    """As the templates write a value."""
    if isinstance(value, str):
        return quote + value + quote
    if isinstance(value, dict):
        members = (f"{key}:{noted(value[key], quote)}" for key in sorted(value, key=str.lower))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(noted(one, quote) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def parsed(body: str, format_of: type[GemmaCalls] = FunctionGemmaCalls) -> list[tuple[str, Any]]:
    calls = format_of(FORMATS[format_of]).parse(body, {"add": ADD, "now": NOW})
    return [(name, json.loads(arguments)) for name, arguments in calls]


@pytest.mark.parametrize("format_of", FORMATS)
@given(arguments=st.dictionaries(KEYS, VALUES, max_size=3))
@settings(deadline=None)
def test_what_a_template_writes_is_read_back(format_of: type[GemmaCalls], arguments: dict[str, Any]) -> None:
    body = f"call:add{noted(arguments, format_of.quote)}"
    assert parsed(body, format_of) == [("add", arguments)]


@given(st.text('call:add{}[],:"<escape>1 ', max_size=30))
@settings(deadline=None)
def test_nonsense_is_no_failure(body: str) -> None:
    assert all(isinstance(arguments, dict) for _, arguments in parsed(body))


@each(
    ("body", "calls"),
    [
        ("call:add{a:1}", [("add", {"a": 1})]),
        (" call:add{ a : 1 , b : two words }\n", [("add", {"a": 1, "b": "two words"})]),
        ('call:add{a:"x,y"}', [("add", {"a": "x,y"})]),
        ("call:add{a:1}call:now{}", [("add", {"a": 1}), ("now", {})]),
        ("call:add{<escape>a<escape>:<escape>}<escape>}", [("add", {"a": "}"})]),
        ("call:add{a:NaN}", [("add", {"a": "NaN"})]),
        ("call:add{a:1", []),
        ("call:add{a:}", []),
        ("call:add{a:1e999}", [("add", {"a": math.inf})]),
        ("call:add{a:<escape>x}", []),
        ("call:add{a:1} and more", []),
        ("call:add" + "{a:" * 5000, []),
        ("add(1)", []),
        ("", []),
    ],
)
def test_calls_are_read_as_they_are_meant(body: str, calls: list[tuple[str, Any]]) -> None:
    assert parsed(body) == calls


FIND = Tool(
    name="find",
    parameters=json.dumps(
        {
            "$defs": {"text": {"type": "string"}, "texts": {"items": {"$ref": "#/$defs/text"}}},
            "properties": {
                "refs": {"type": "array", "items": {"type": "string"}},
                "texts": {"$ref": "#/$defs/texts"},
                "code": {"$ref": "#/$defs/text"},
                "count": {"type": "integer"},
                "within": {"type": "object", "properties": {"code": {"$ref": "#/$defs/text"}}},
            },
        }
    ),
)


@pytest.mark.parametrize("format_of", FORMATS)
@pytest.mark.parametrize(
    ("output", "arguments"),
    [
        # https://github.com/vllm-project/vllm/issues/51284
        ("refs:['ds_1']", {"refs": ["ds_1"]}),
        ('refs:["ds_1", "ds_2"]', {"refs": ["ds_1", "ds_2"]}),
        ('other:{"mode": "fast", "n": 1}', {"other": {"mode": "fast", "n": 1}}),
        ("code:'a, b: {c}'", {"code": "a, b: {c}"}),
        (r"code:'it\'s'", {"code": "it's"}),
        (r'code:"a\nb"', {"code": "a\nb"}),
        ("code:12345", {"code": "12345"}),
        ("code:true", {"code": "true"}),
        ("texts:[1,true]", {"texts": ["1", "true"]}),
        ("within:{code:007}", {"within": {"code": "007"}}),
        ("count:5,code:two words", {"count": 5, "code": "two words"}),
        ("other:True", {"other": True}),
        ("other:None", {"other": None}),
    ],
)
def test_strings_with_other_quotes_and_without_are_what_the_schema_says(
    format_of: type[GemmaCalls], output: str, arguments: Any
) -> None:
    ((name, text),) = format_of(FORMATS[format_of]).parse(f"call:find{{{output}}}", {"find": FIND})
    assert (name, json.loads(text)) == ("find", arguments)


@each(
    "output",
    [
        "code:it's",
        "code:'it's'",
        "code:say 'a'",
        "code:'a' 'b'",
        'refs:["a" "b"]',
        "refs:['a]",
        "code:`a`",
        "code:a<b",
        "code:1,code:2",
        "count:5 code:a",
        "'a':'b",
    ],
)
def test_what_cannot_be_read_for_certain_is_no_call(output: str) -> None:
    assert (
        FunctionGemmaCalls(FORMATS[FunctionGemmaCalls]).parse(f"call:find{{{output}}}", {"find": FIND}) == ()
    )


@pytest.mark.parametrize("format_of", FORMATS)
def test_a_string_may_hold_what_ends_the_call(format_of: type[GemmaCalls]) -> None:
    kind = format_of(FORMATS[format_of])
    body = f"call:find{{code:{kind.quote}a {kind.end} b{kind.quote}}}"
    assert kind.can_continue(body[: body.index(kind.end)], {"find": FIND})
    ((_, text),) = kind.parse(body, {"find": FIND})
    assert json.loads(text) == {"code": f"a {kind.end} b"}


PLACE = Tool(
    name="place",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "unit": {"enum": ["C", "F"]},
                "city": {"type": "string"},
                "days": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
                "at": {
                    "type": "object",
                    "properties": {"lat": {"type": "number"}, "sea": {"type": "boolean"}},
                    "required": ["lat"],
                },
                "note": {"type": ["string", "null"]},
                "other": {},
            },
            "required": ["city", "unit"],
        }
    ),
)


def is_allowed(format_of: type[GemmaCalls], bodies: list[str], *, several: bool = True) -> bool:
    """Whether calls with these bodies, in FunctionGemma's marks, follow the grammar in this format's own."""
    tokenizer = FORMATS[format_of]
    grammar = format_of(tokenizer).lark([ADD, NOW, PLACE], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    output = "".join(f"{format_of.begin}call:{body}{format_of.end}" for body in bodies)
    tokens = tokenizer.encode(output.replace("<escape>", format_of.quote))
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


CITY = "city:<escape>Rome, {Italy}<escape>"
UNIT = "unit:<escape>C<escape>"


@pytest.mark.parametrize("format_of", FORMATS)
@pytest.mark.parametrize(
    "body",
    [
        "add{a:1}",
        "now{}",
        f"place{{{CITY},{UNIT}}}",
        f"place{{at:{{lat:1.5,sea:true}},{CITY},days:[1,2],note:null,{UNIT}}}",
        f"place{{{CITY},note:<escape>x<escape>,other:[<escape>y<escape>,{{k:1}}],{UNIT}}}",
    ],
)
def test_a_call_that_follows_its_schema_is_allowed(format_of: type[GemmaCalls], body: str) -> None:
    assert is_allowed(format_of, [body])


@each(
    "body",
    [
        "add{}",
        "add{a:one}",
        "add{a:1,b:2}",
        "sub{a:1}",
        f"place{{{CITY}}}",
        f"place{{{UNIT},{CITY}}}",
        f"place{{{CITY},unit:<escape>K<escape>}}",
        f"place{{at:{{sea:true}},{CITY},{UNIT}}}",
        f"place{{{CITY},days:[],{UNIT}}}",
        f"place{{,{CITY},{UNIT}}}",
        "",
    ],
)
def test_any_other_call_is_not(body: str) -> None:
    assert not is_allowed(FunctionGemmaCalls, [body])


@pytest.mark.parametrize("format_of", FORMATS)
def test_only_one_call_where_only_one_is_wanted(format_of: type[GemmaCalls]) -> None:
    assert is_allowed(format_of, ["now{}", "add{a:1}"])
    assert not is_allowed(format_of, ["now{}", "add{a:1}"], several=False)


def test_a_call_that_is_allowed_is_one_that_is_read() -> None:
    body = f"place{{at:{{lat:1.5,sea:true}},{CITY},days:[1,2],note:null,{UNIT}}}"
    assert is_allowed(FunctionGemmaCalls, [body])
    assert parsed(f"call:{body}")[0][1]["city"] == "Rome, {Italy}"


@each(("value", "allowed"), [("a < b", True), ('<|"|', True), ("<tool_call|>", True), ('a<|"|>b', False)])
def test_a_string_ends_where_its_mark_is_spelt_as_well(value: str, allowed: bool) -> None:
    """The reader cannot distinguish a mark that is a token from one that is spelt."""
    _, plain = family("gemma4", "", ("<bos>",))
    output = f'<|tool_call>call:place{{city:<|"|>{value}<|"|>,unit:<|"|>C<|"|>}}<tool_call|>'
    assert follows_grammar(plain, GemmaCalls, output, tools=(PLACE,)) == allowed
