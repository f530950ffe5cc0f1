"""The grammars of required calls: what llguidance lets a model say, token by token."""

import re

import llguidance
import llguidance.hf

from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import (
    Hermes,
    Llama3Json,
    MistralArgs,
    MistralList,
    detect_format,
)
from inference.core.requests import Tool
from tests.adapters.family_models import ADD, NOW, real
from tests.each import each

HERMES = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
LIST = '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}, {"name": "now", "arguments": {}}]'


def is_allowed(format_of: type[ToolFormat], family: str, text: str, *, several: bool = True) -> bool:
    """Whether a whole answer follows the format's grammar, written in the family's own tokens."""
    _, tokenizer = real(family, "")
    grammar = format_of(tokenizer).lark([ADD, NOW], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@each(
    ("format_of", "family", "output"),
    [
        (Hermes, "qwen3", HERMES),
        (Hermes, "qwen3", f"\n\n{HERMES}\n{HERMES}"),
        (Llama3Json, "llama3_2", '{"name": "add", "parameters": {"a": 1}}'),
        (MistralList, "mistral_nemo", LIST),
        (MistralArgs, "mistral_nemo", '[TOOL_CALLS]add[ARGS]{"a": 1}[TOOL_CALLS]now[ARGS]{}'),
    ],
)
def test_a_call_in_the_familys_manner_is_allowed(
    format_of: type[ToolFormat], family: str, output: str
) -> None:
    assert is_allowed(format_of, family, output)


@each(
    ("format_of", "family", "output"),
    [
        (Hermes, "qwen3", "Hello"),
        (Hermes, "qwen3", HERMES.replace("add", "sub")),
        (Hermes, "qwen3", HERMES.replace("1", '"one"')),
        (Hermes, "qwen3", HERMES.replace('{"a": 1}', "[]")),
        (Llama3Json, "llama3_2", '{"name": "add", "parameters": {}}'),
        (MistralList, "mistral_nemo", "[TOOL_CALLS][]"),
        (MistralArgs, "mistral_nemo", "[TOOL_CALLS]add[ARGS]{}"),
    ],
)
def test_anything_else_is_not(format_of: type[ToolFormat], family: str, output: str) -> None:
    assert not is_allowed(format_of, family, output)


@each(
    ("format_of", "family", "output"),
    [
        (Hermes, "qwen3", f"{HERMES}\n{HERMES}"),
        (MistralList, "mistral_nemo", LIST),
        (MistralArgs, "mistral_nemo", "[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]now[ARGS]{}"),
    ],
)
def test_only_one_call_where_only_one_is_wanted(
    format_of: type[ToolFormat], family: str, output: str
) -> None:
    assert not is_allowed(format_of, family, output, several=False)


@each(
    ("template", "format_of"),
    [
        ("... <tool_call> ...", Hermes),
        ("<tool_call>\\n<function=", None),  # Qwen3-Coder
        ("<tool_call>{name}<arg_key>", None),  # GLM 4.5
        ("[TOOL_CALLS][", MistralList),
        ("[TOOL_CALLS]name[ARGS]", MistralArgs),
        ("{{ tools }}", None),
    ],
)
def test_the_template_selects_the_format(template: str, format_of: type[ToolFormat] | None) -> None:
    assert detect_format(template) is format_of


def test_ids_are_of_the_familys_form() -> None:
    _, tokenizer = real("qwen3", "")
    assert re.fullmatch("call_[0-9a-f]{24}", Hermes(tokenizer).new_id())
    assert re.fullmatch("[a-zA-Z0-9]{9}", MistralList(tokenizer).new_id())


def test_an_id_from_elsewhere_becomes_one_of_nine_letters_and_stays_the_same() -> None:
    _, tokenizer = real("qwen3", "")
    mistral = MistralList(tokenizer)
    assert re.fullmatch("[a-zA-Z0-9]{9}", mistral.valid_id("call_123"))
    assert mistral.valid_id("call_123") == mistral.valid_id("call_123") != mistral.valid_id("call_124")
    assert mistral.valid_id("abcDEF123") == "abcDEF123"


def test_parameters_without_a_type_are_an_object_all_the_same() -> None:
    _, tokenizer = real("qwen3", "")
    grammar = Hermes(tokenizer).lark([Tool(name="now", parameters="{}")], several=False)
    assert '%json {"type": "object"' in grammar
