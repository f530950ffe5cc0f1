"""Mistral's own tokenizer and template are Nemo's; Magistral's is in short, the others are as published."""

import re

from inference.adapters import Adapter
from inference.adapters.self_test import findings
from inference.adapters.tool_calls.tool_formats import MistralArgs, MistralList
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, MISTRAL_ARGS, NOW, real, stops
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

# The control tokens of https://github.com/mistralai/mistral-common (tokens/tokenizers/base.py), v13.
TOKENS = (
    *("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
    *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    *("[TOOL_CONTENT]", "[CALL_ID]", "[ARGS]", "[THINK]", "[/THINK]"),
)
ALTERNATES = """{%- set ns = namespace(index=0) %}
{%- for message in messages if not message.tool_calls and message.role in ('user', 'assistant') %}
    {%- if (message.role == 'user') != (ns.index % 2 == 0) %}
        {{- raise_exception('conversation roles must alternate user and assistant roles') }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}"""
SYSTEM = "{%- if message.role == 'system' %}{{- '[SYSTEM_PROMPT]' + message.content + '[/SYSTEM_PROMPT]' }}"
# As Magistral 1.2 has it, in short.
MAGISTRAL = (
    "{#- [THINK] -#}"
    + ALTERNATES
    + MISTRAL_ARGS.replace(
        "{%- if message.role == 'user' %}", SYSTEM + "{%- elif message.role == 'user' %}", 1
    )
)
CALL = ToolCall(id="call_0123456789", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id=CALL.id, name="add")
FAMILIES = {
    "nemo": real("mistral_nemo", "mistral"),
    "devstral": family("mistral3", published("devstral"), TOKENS, eos="</s>"),
    "small": family("mistral3", published("mistral_small"), TOKENS, eos="</s>"),
    "ministral": family("mistral3", published("ministral_3"), TOKENS, eos="</s>"),
    "magistral": family("mistral", MAGISTRAL, TOKENS, eos="</s>"),
}

ALTERNATING = [name for name in FAMILIES if name != "devstral"]


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("mistral", {"</s>"})
    assert findings(adapter, tokenizer) == ()


@each(
    ("model_type", "template", "name"),
    [
        ("mistral", "[INST] {{ messages[0]['content'] }} [/INST]", "mistral"),
        ("mixtral", "[INST] {{ messages[0]['content'] }} [/INST]", "mistral"),
        ("llama", "[INST] {{ messages[0]['content'] }} [/INST] [TOOL_CALLS]", "mistral"),
        ("llama", "[INST] {{ messages[0]['content'] }} [/INST]", "codellama"),
        ("mistral", "<|im_start|>{{ messages[0]['content'] }}<|im_end|>", "default"),
    ],
)
def test_the_template_distinguishes_it_from_fine_tunes(model_type: str, template: str, name: str) -> None:
    adapter, _ = family(model_type, template, TOKENS)
    assert adapter.name == name


@each(
    ("name", "format_of"),
    [("nemo", MistralList), *((name, MistralArgs) for name in FAMILIES if name != "nemo")],
)
def test_calls_are_in_the_form_of_its_template(name: str, format_of: type[MistralList]) -> None:
    adapter, _ = speaking(name)
    assert type(adapter.call_format) is format_of


@each("name", ["nemo", "small", "magistral"])
def test_a_call_and_its_result_have_the_same_id_of_nine(name: str) -> None:
    text = prompt_text(*speaking(name), QUESTION, CALLED, RESULT, tools=(ADD,))
    own = MistralList(FAMILIES[name][1]).valid_id(CALL.id)
    assert len(own) == 9
    assert own in text
    assert CALL.id not in text


@each("name", ALTERNATING)
def test_a_question_right_behind_a_result_is_rendered(name: str) -> None:
    again = Message(role="user", content="and 4?")
    text = prompt_text(*speaking(name), QUESTION, CALLED, RESULT, again, tools=(ADD,))
    assert re.search(r"five.*Done\.</s>.*\[INST\]and 4\?", text, re.DOTALL)


def test_a_template_that_takes_it_is_given_no_answer_that_nobody_gave() -> None:
    again = Message(role="user", content="and 4?")
    assert "Done." not in prompt_text(*speaking("devstral"), QUESTION, CALLED, RESULT, again, tools=(ADD,))


@each("name", ALTERNATING)
def test_neighbours_of_one_role_are_joined(name: str) -> None:
    text = prompt_text(*speaking(name), QUESTION, Message(role="user", content="quick"))
    assert "[INST]2 and 3?\n\nquick[/INST]" in text


@each("name", FAMILIES)
def test_the_system_is_rendered(name: str) -> None:
    assert "Be brief." in prompt_text(*speaking(name), Message(role="system", content="Be brief."), QUESTION)


@each("name", ALTERNATING)
def test_a_late_system_message_joins_the_next_question(name: str) -> None:
    answered = Message(role="assistant", content="5")
    late = Message(role="system", content="Be brief.")
    text = prompt_text(*speaking(name), QUESTION, answered, late, Message(role="user", content="and 4?"))
    assert "Be brief.\n\nand 4?[/INST]" in text


def test_a_template_that_takes_a_late_system_message_has_it_where_it_was() -> None:
    late = Message(role="system", content="Be brief.")
    text = prompt_text(*speaking("devstral"), QUESTION, late, QUESTION)
    assert text.endswith("[INST]2 and 3?[/INST][SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]2 and 3?[/INST]")


THOUGHT = ParsedAnswer(reasoning="2+3=5", text="It is 5.")
ARGS = '[TOOL_CALLS]add[ARGS]{"a": 1}'
LIST = '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}'


@each(
    ("name", "output", "expected"),
    [
        ("nemo", "It is 5.", ParsedAnswer(text="It is 5.")),
        ("nemo", f"{LIST}]", ParsedAnswer(calls=(("add", '{"a": 1}'),))),
        (
            "nemo",
            LIST + ', {"name": "now", "arguments": {}, "id": "abcdefghi"}]',
            ParsedAnswer(calls=(("add", '{"a": 1}'), ("now", "{}"))),
        ),
        ("nemo", "[TOOL_CALLS]hm", ParsedAnswer(text="[TOOL_CALLS]hm")),
        ("devstral", ARGS, ParsedAnswer(calls=(("add", '{"a": 1}'),))),
        (
            "devstral",
            f"Let me see.{ARGS}[TOOL_CALLS]now[ARGS]{{}}",
            ParsedAnswer(text="Let me see.", calls=(("add", '{"a": 1}'), ("now", "{}"))),
        ),
        (
            "devstral",
            '[TOOL_CALLS]add[CALL_ID]abcdefghi[ARGS]{"a": 1}',
            ParsedAnswer(calls=(("add", '{"a": 1}'),)),
        ),
        ("devstral", "[TOOL_CALLS]sub[ARGS]{}", ParsedAnswer(text="[TOOL_CALLS]sub[ARGS]{}")),
        ("magistral", "[THINK]2+3=5[/THINK]It is 5.", THOUGHT),
        ("ministral", "[THINK]2+3=5[/THINK]It is 5.", THOUGHT),
        (
            "ministral",
            f"[THINK]add[/THINK]Let me see.{ARGS}",
            ParsedAnswer("Let me see.", "add", (("add", '{"a": 1}'),)),
        ),
        ("small", ARGS, ParsedAnswer(calls=(("add", '{"a": 1}'),))),
        ("magistral", "[THINK]2+3", ParsedAnswer(reasoning="2+3")),
        (
            "magistral",
            f"[THINK]add[/THINK]{ARGS}",
            ParsedAnswer(reasoning="add", calls=(("add", '{"a": 1}'),)),
        ),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "</s>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_the_first_magistral_thinks_in_the_common_marks() -> None:
    adapter, tokenizer = family("mistral", published("devstral") + "{#- <think> -#}", TOKENS, eos="</s>")
    assert parse_answer(adapter, tokenizer, "<think>2+3=5</think>It is 5.") == THOUGHT
