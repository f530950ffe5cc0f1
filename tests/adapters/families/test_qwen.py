"""Qwen3's tokenizer and template are its own, cut down; the others' templates are as published."""

import pytest

from inference.adapters import Adapter, ModelFacts
from inference.adapters.self_test import findings
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import Hermes
from inference.adapters.tool_calls.xml import FunctionXml
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, real, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.adapters.published_templates import published
from tests.each import each
from tests.tiny import CHATML, LLAMA_3

FAMILIES = {
    "qwen3": real("qwen3", "qwen3"),
    "qwen2_5": real("qwen3", "qwen2", published("qwen2_5")),
    "coder": real("qwen3", "qwen3_moe", published("qwen3_coder")),
    "qwen3_5": real("qwen3", "qwen3_5", published("qwen3_5")),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
SYSTEM = Message(role="system", content="Be brief.")


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("qwen", {"<|im_end|>", "<|endoftext|>"})
    assert findings(adapter, tokenizer) == ()


@pytest.mark.parametrize("template", ["", CHATML])
def test_both_its_ends_stop_where_its_files_name_neither(template: str) -> None:
    adapter, tokenizer = family("qwen2", template, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    assert stops(adapter, tokenizer) == {"<|im_end|>", "<|endoftext|>"}


def test_a_fine_tune_with_another_template_is_what_its_template_is() -> None:
    adapter, _ = real("qwen3", "qwen2", LLAMA_3)
    assert adapter.name == "default"


@each(
    ("name", "format_of"),
    [
        ("qwen2_5", Hermes),
        ("qwen3", Hermes),
        ("coder", FunctionXml),
        ("qwen3_5", FunctionXml),
    ],
)
def test_calls_are_in_the_form_of_its_template(name: str, format_of: type[ToolFormat]) -> None:
    adapter, _ = speaking(name)
    assert type(adapter.call_format) is format_of


@each("name", FAMILIES)
def test_the_system_the_tools_and_what_they_answered_are_rendered(name: str) -> None:
    text = prompt_text(*speaking(name), SYSTEM, QUESTION, CALLED, RESULT, tools=(ADD,))
    call = {"coder": "<name>add</name>"}.get(name, '"name": "add"')
    assert max(text.index("Be brief."), text.index(call)) < text.index("2 and 3?")
    places = [text.index(word) for word in ("2 and 3?", "Let me see.", "41", "five")]
    assert places == sorted(places)


def test_a_system_message_in_the_middle_joins_the_next_question() -> None:
    again = Message(role="user", content="and 4?")
    text = prompt_text(*speaking("qwen3_5"), SYSTEM, SYSTEM, QUESTION, SYSTEM, again)
    assert "<|im_start|>system\nBe brief.\n\nBe brief.<|im_end|>" in text
    assert "<|im_start|>user\nBe brief.\n\nand 4?<|im_end|>" in text


def test_a_template_that_takes_it_is_given_it_where_it_was() -> None:
    text = prompt_text(*speaking("qwen3"), QUESTION, SYSTEM, QUESTION)
    assert "<|im_end|>\n<|im_start|>system\nBe brief.<|im_end|>" in text


@each(
    ("name", "thinks", "end"),
    [
        ("qwen3", True, "<|im_start|>assistant\n"),
        ("qwen3", False, "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("qwen3_5", True, "<|im_start|>assistant\n<think>\n"),
        ("qwen3_5", False, "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
    ],
)
def test_thinking_is_switched(name: str, thinks: bool, end: str) -> None:
    adapter, tokenizer = speaking(name)
    prompt = adapter.render(chat_request(QUESTION, template_options=(("enable_thinking", thinks),)))
    thinking = adapter.reasoning_state(prompt)
    assert tokenizer.decode(prompt).endswith(end)
    assert thinking and thinking.is_closed is not thinks


JSON = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
XML = "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>"
BARE = XML.removeprefix("<tool_call>\n")  # as Qwen3-Coder often says it behind other text
XML_NOW = "<tool_call>\n<function=now>\n</function>\n</tool_call>"
ONE = (("add", '{"a": 1}'),)


@each(
    ("name", "output", "expected"),
    [
        ("qwen3", "<think>\n2+3=5\n</think>\n\nIt is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("qwen3", f"<think>\nadd\n</think>\n\n{JSON}", ParsedAnswer(reasoning="add", calls=ONE)),
        (
            "qwen3",
            f'Let me see.\n{JSON}\n<tool_call>\n{{"name": "now", "arguments": {{}}}}\n</tool_call>',
            ParsedAnswer(text="Let me see.", calls=(*ONE, ("now", "{}"))),
        ),
        ("qwen3", JSON.replace("add", "sub"), ParsedAnswer(text=JSON.replace("add", "sub"))),
        ("qwen3", "<think>\nhm", ParsedAnswer(reasoning="hm")),
        ("coder", "It is 5.", ParsedAnswer(text="It is 5.")),
        (
            "coder",
            f"Let me see.\n\n{XML}\n{XML_NOW}",
            ParsedAnswer("Let me see.", calls=(*ONE, ("now", "{}"))),
        ),
        ("coder", XML.replace("add", "sub"), ParsedAnswer(text=XML.replace("add", "sub"))),
        ("coder", XML.removesuffix("\n</tool_call>"), ParsedAnswer(calls=ONE)),
        (
            "coder",
            XML.removesuffix("</function>\n</tool_call>"),
            ParsedAnswer(XML.removesuffix("</function>\n</tool_call>")),
        ),
        ("coder", f"See.\n\n{BARE}", ParsedAnswer("See.", calls=ONE)),
        ("coder", f"See.\n\n{BARE}\n{XML_NOW}", ParsedAnswer("See.", calls=(*ONE, ("now", "{}")))),
        ("coder", f"See.\n\n{BARE.removesuffix('</tool_call>')}", ParsedAnswer("See.", calls=ONE)),
        (
            "coder",
            f"See.\n\n{BARE.replace('add', 'sub')}",
            ParsedAnswer(f"See.\n\n{BARE.replace('add', 'sub')}"),
        ),
        ("coder", "Write <function=NAME> first.", ParsedAnswer("Write <function=NAME> first.")),
        ("coder", "Write <tool_call> and <function=", ParsedAnswer("Write <tool_call> and <function=")),
        (
            "coder",
            "<tool_call>\nadd(1)\n</tool_call>",
            ParsedAnswer(text="<tool_call>\nadd(1)\n</tool_call>"),
        ),
        ("qwen3_5", f"add\n</think>\n\n{XML}", ParsedAnswer(reasoning="add", calls=ONE)),
        ("qwen3_5", "2+3=5\n</think>\n\nIt is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("qwen3_5", "hm", ParsedAnswer(reasoning="hm")),
        ("qwen2_5", f"See.\n{JSON}", ParsedAnswer("See.", calls=ONE)),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "<|im_end|>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_facts_without_a_model_type_are_nobodys() -> None:
    assert not type(speaking("qwen3")[0]).fits(ModelFacts(chat_template=CHATML))
