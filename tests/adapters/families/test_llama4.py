"""Llama 4's control tokens are real; its template is here in short, once for JSON and once for Python."""

import pytest

from inference.adapters import Adapter
from inference.adapters.families.llama4 import Llama4Json, Llama4Python
from inference.adapters.self_test import findings
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    follows_grammar,
    parse_answer,
    parse_every_split,
    prompt_text,
    tools_request,
)
from tests.each import each

TEMPLATE = """{{- bos_token }}
{%- if tools %}
    {{- '<|header_start|>system<|header_end|>\n\nHOW\n' + tools | tojson + '<|eot|>' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.tool_calls %}
        {{- '<|header_start|>assistant<|header_end|>\n\n' }}
        CALLS
    {%- elif message.role == 'tool' %}
        {{- '<|header_start|>ipython<|header_end|>\n\n' + message.content | tojson }}
    {%- else %}
        {{- '<|header_start|>' + message.role + '<|header_end|>\n\n' + message.content }}
    {%- endif %}
    {{- '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|header_start|>assistant<|header_end|>\n\n' }}{%- endif %}"""
JSON = TEMPLATE.replace("HOW", "Respond with JSON.").replace(
    "CALLS",
    """{{- '<|python_start|>' + message.content + '<|python_end|>' }}
        {%- for call in message.tool_calls %}
            {{- '{"name": "' + call.function.name + '", "parameters": ' }}
            {{- call.function.arguments | tojson + '}' }}
        {%- endfor %}""",
)
PYTHON = TEMPLATE.replace("HOW", "Use [func_name1(param=value)].").replace(
    "CALLS",
    """{{- message.content + '[' }}
        {%- for call in message.tool_calls %}
            {{- call.function.name + '(' }}
            {%- for key, value in call.function.arguments.items() %}
                {{- key + '=' + value | tojson }}{{- ', ' if not loop.last }}
            {%- endfor %}
            {{- ')' }}{{- ', ' if not loop.last }}
        {%- endfor %}
        {{- ']' }}""",
)
TOKENS = (
    *("<|begin_of_text|>", "<|end_of_text|>", "<|eot|>", "<|eom|>", "<|header_start|>", "<|header_end|>"),
    *("<|python_start|>", "<|python_end|>"),
)
FAMILIES = {"json": family("llama4", JSON, TOKENS), "python": family("llama4_text", PYTHON, TOKENS)}
ENDS = {"<|eot|>", "<|eom|>", "<|end_of_text|>"}
CALLS = tuple(ToolCall(id=f"c{a}", name="add", arguments=f'{{"a": {a}}}') for a in (41, 42))
CALLED = Message(role="assistant", content="", tool_calls=CALLS)
RESULTS = [Message(role="tool", content=f"r{call.id}", tool_call_id=call.id) for call in CALLS]


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("llama4", ENDS)
    assert findings(adapter, tokenizer) == ()


@each(
    ("model_type", "template", "name"),
    [
        ("llama4", "", "llama4"),
        ("llama4", "<|im_start|>{{ messages[0].content }}<|im_end|>", "default"),
        ("llama", JSON, "default"),
    ],
)
def test_the_template_distinguishes_it_from_others(model_type: str, template: str, name: str) -> None:
    adapter, _ = family(model_type, template, TOKENS)
    assert adapter.name == name


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("json", '{"name": "add", "parameters": {"a": 41}}{"name": "add", "parameters": {"a": 42}}<|eot|>'),
        ("python", "[add(a=41), add(a=42)]<|eot|>"),
    ],
)
def test_several_calls_stay_in_their_turn(name: str, calls: str) -> None:
    text = prompt_text(*speaking(name), QUESTION, CALLED, *RESULTS, tools=(ADD,))
    assert calls in text
    assert text.index("41") < text.index("rc41") < text.index("rc42")


ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))
ADD_1 = '{"name": "add", "parameters": {"a": 1}}'
NOW_1 = '{"name": "now", "parameters": {}}'


@each(
    ("name", "output", "expected"),
    [
        ("json", "It is 5.", ParsedAnswer("It is 5.")),
        ("json", ADD_1, ParsedAnswer(calls=ONE)),
        ("json", f"{ADD_1}{NOW_1}", ParsedAnswer(calls=TWO)),
        ("json", f"{ADD_1}; {NOW_1}", ParsedAnswer(calls=TWO)),
        ("json", f"<|python_start|>{ADD_1}<|python_end|>", ParsedAnswer(calls=ONE)),
        ("json", f"<|python_start|><|python_end|>{ADD_1}{NOW_1}", ParsedAnswer(calls=TWO)),
        ("json", '{"type": "function", ' + ADD_1[1:], ParsedAnswer(calls=ONE)),
        ("json", '{"name": "sub", "parameters": {}}', ParsedAnswer('{"name": "sub", "parameters": {}}')),
        ("json", '{"a": 1}', ParsedAnswer('{"a": 1}')),
        (
            "json",
            "<|python_start|>print(1)<|python_end|>",
            ParsedAnswer("<|python_start|>print(1)<|python_end|>"),
        ),
        ("python", "[add(a=1), now()]", ParsedAnswer(calls=TWO)),
        ("python", "<|python_start|>[add(a=1)]<|python_end|>", ParsedAnswer(calls=ONE)),
        ("python", "See: <|python_start|>[add(a=1)]", ParsedAnswer("See:", calls=ONE)),
        ("python", "[1] says so.", ParsedAnswer("[1] says so.")),
        ("python", "[sub(a=1)]", ParsedAnswer("[sub(a=1)]")),
        ("python", "[add(a=1", ParsedAnswer("[add(a=1")),
        ("python", "[add(a=1)] it is", ParsedAnswer("[add(a=1)] it is")),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "<|eot|>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_text_that_cannot_be_a_call_is_not_held_back() -> None:
    adapter, _ = speaking("python")
    pieces = adapter.reader([0], tools_request(ADD)).feed("[1] says so")
    assert "".join(piece.text for piece in pieces) == "[1] says so"


@each(
    ("format_of", "output", "several", "allowed"),
    [
        (Llama4Json, ADD_1, True, True),
        (Llama4Json, ADD_1 + NOW_1, True, True),
        (Llama4Json, ADD_1 + NOW_1, False, False),
        (Llama4Json, "{}", True, False),
        (Llama4Python, "[add(a=1), now()]", True, True),
        (Llama4Python, "[add(a=1), now()]", False, False),
        (Llama4Python, "[add(a=x)]", True, False),
    ],
)
def test_the_grammar_allows_its_calls_alone(
    format_of: type[ToolFormat], output: str, several: bool, allowed: bool
) -> None:
    assert follows_grammar(speaking("json")[1], format_of, output, several) == allowed
