"""OLMo's control tokens are real; the templates of OLMo 2 and 3 are here in short."""

# ruff: noqa: E501 - templates have lines of their own

import json

import pytest

from inference.adapters.families.olmo import OlmoCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from tests.adapters.family_models import ADD, NOW, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    follows_grammar,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.each import each

TOKENS = (
    *("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<think>", "</think>"),
    *("<functions>", "</functions>", "<function_calls>", "</function_calls>"),
)
OLMO_3 = """{%- set system = messages[0].content if messages[0].role == 'system' else 'You are Olmo.' %}
{{- '<|im_start|>system\n' + system }}
{%- if tools %}{{- ' You have these functions: <functions>' + tools | tojson + '</functions>' }}{%- endif %}
{{- '<|im_end|>\n' }}
{%- for message in messages %}
    {%- if message.role == 'user' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\n' + (message.content or '') }}
        {%- if message.tool_calls %}{{- '<function_calls>' }}
            {%- for call in message.tool_calls %}
                {{- call.function.name + '(' }}
                {%- for key, value in call.function.arguments.items() %}{{- key + '=' + value | tojson }}{{- ', ' if not loop.last }}{%- endfor %}
                {{- ')' }}{{- '\n' if not loop.last }}
            {%- endfor %}
        {{- '</function_calls>' }}{%- endif %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == 'tool' %}{{- '<|im_start|>environment\n' + message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""
THINK = OLMO_3.replace(
    "'<|im_start|>assistant\n' }}{%- endif %}", "'<|im_start|>assistant\n<think>' }}{%- endif %}"
)
OLMO_2 = """{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}{{ '<|assistant|>\n'
+ message['content'] + eos_token + '\n' }}{% else %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '\n' }}
{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"""
THIRD = family("olmo3", OLMO_3, TOKENS)
THINKING = family("olmo3", THINK, TOKENS)
SECOND = family("olmo2", OLMO_2, ("<|endoftext|>",), eos="<|endoftext|>")
CALL = "<function_calls>add(a=2)</function_calls>"


@each(
    ("made", "ends", "lights"),
    [
        (THIRD, {"<|im_end|>", "<|endoftext|>"}, []),
        (THINKING, {"<|im_end|>", "<|endoftext|>"}, []),
        (SECOND, {"<|endoftext|>"}, [("tools", "amber")]),
    ],
)
def test_it_is_known_and_ends(made: tuple, ends: set[str], lights: list[tuple[str, str]]) -> None:  # type: ignore[type-arg]
    adapter, tokenizer = made
    assert (adapter.name, stops(adapter, tokenizer)) == ("olmo", ends)
    assert [(finding.about, finding.light) for finding in findings(adapter, tokenizer)] == lights


@each(
    ("output", "expected"),
    [
        ("It is 5.", ParsedAnswer(text="It is 5.")),
        (CALL, ParsedAnswer(calls=(("add", '{"a": 2}'),))),
        (
            "<function_calls>\nadd(a=2)\nnow()\n</function_calls>",
            ParsedAnswer(calls=(("add", '{"a": 2}'), ("now", "{}"))),
        ),
        (
            "<function_calls>[add(a=2), now()]</function_calls>",
            ParsedAnswer(calls=(("add", '{"a": 2}'), ("now", "{}"))),
        ),
        (f"Let me see. {CALL}", ParsedAnswer(text="Let me see.", calls=(("add", '{"a": 2}'),))),
        (
            "<function_calls>sub(a=2)</function_calls>",
            ParsedAnswer(text="<function_calls>sub(a=2)</function_calls>"),
        ),
        (
            "<function_calls>import os</function_calls>",
            ParsedAnswer(text="<function_calls>import os</function_calls>"),
        ),
        ("<function_calls>add(a=2)", ParsedAnswer(text="<function_calls>add(a=2)")),
    ],
)
def test_what_it_says_is_heard(output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = THIRD
    assert parse_answer(adapter, tokenizer, output) == expected
    assert parse_every_split(adapter, output) == {expected}


def test_thoughts_that_its_template_opened_are_thoughts() -> None:
    adapter, tokenizer = THINKING
    assert parse_answer(adapter, tokenizer, "Hm.</think>5") == ParsedAnswer(text="5", reasoning="Hm.")


@pytest.mark.parametrize("output", [CALL, "<function_calls>add(a=2)\nnow()</function_calls>"])
def test_required_calls_follow_their_grammar(output: str) -> None:
    assert follows_grammar(THIRD[1], OlmoCalls, output)


@each("output", ["5", CALL.replace("2", '"two"'), CALL.replace("add", "sub")])
def test_nothing_else_follows_it(output: str) -> None:
    assert not follows_grammar(THIRD[1], OlmoCalls, output)


def test_a_history_has_its_calls_and_results() -> None:
    call = ToolCall(id="c", name="add", arguments=json.dumps({"a": 2}))
    called = Message(role="assistant", content="", tool_calls=(call,))
    result = Message(role="tool", content="the result", tool_call_id="c")
    text = prompt_text(*THIRD, QUESTION, called, result, tools=(ADD, NOW))
    assert "<function_calls>add(a=2)</function_calls>" in text and "environment\nthe result" in text
