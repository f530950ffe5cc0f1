"""SmolLM's control tokens are real; SmolLM 3's template is here in short."""

# ruff: noqa: E501 - templates have lines of their own

from inference.adapters.self_test import findings
from inference.core.requests import Message
from tests.adapters.family_models import ADD, NOW, chat_request, stops
from tests.adapters.parsed_answers import QUESTION, ParsedAnswer, family, parse_answer, parse_every_split
from tests.each import each

TOKENS = ("<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
SMOLLM_3 = """{%- if enable_thinking is not defined %}{%- set enable_thinking = true %}{%- endif %}
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{{- '<|im_start|>system\n## Metadata\nReasoning Mode: ' }}
{{- '/think' if enable_thinking and '/no_think' not in system else '/no_think' }}
{{- '\n\n' + (system or 'You are a helpful AI assistant named SmolLM, trained by Hugging Face.') }}
{%- if tools %}{{- '\n### Tools\n<tools>\n' }}{%- for tool in tools %}{{- tool.function | tojson + '\n' }}{%- endfor %}
{{- '</tools>\nFor each call: <tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>' }}{%- endif %}
{{- '<|im_end|>\n' }}
{%- for message in messages %}
    {%- if message.role == 'user' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\n' + (message.content or '') }}
        {%- for call in message.tool_calls or [] %}{{- '<tool_call>\n' + call.function | tojson + '\n</tool_call>' }}{%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == 'tool' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' + ('' if enable_thinking else '<think>\n\n</think>\n') }}
{%- endif %}"""
SMOLLM_2 = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{{ '<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""
THIRD = family("smollm3", SMOLLM_3, TOKENS)
SECOND = family("llama", SMOLLM_2, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 2}}\n</tool_call>'


def test_the_third_is_known_ends_and_is_all_right() -> None:
    adapter, tokenizer = THIRD
    assert (adapter.name, stops(adapter, tokenizer)) == ("smollm", {"<|im_end|>", "<|end_of_text|>"})
    assert findings(adapter, tokenizer) == ()


def test_the_second_is_known_and_has_its_tools_in_a_system_message() -> None:
    adapter, tokenizer = SECOND
    assert (adapter.name, stops(adapter, tokenizer)) == ("smollm", {"<|im_end|>", "<|endoftext|>"})
    assert [(finding.about, finding.light) for finding in findings(adapter, tokenizer)] == [
        ("tools", "amber")
    ]


@each(
    ("output", "expected"),
    [
        ("It is 5.", ParsedAnswer(text="It is 5.")),
        ("<think>\nHm.\n</think>\nIt is 5.", ParsedAnswer(text="It is 5.", reasoning="Hm.")),
        (CALL, ParsedAnswer(calls=(("add", '{"a": 2}'),))),
        (f"<think>Hm.</think>\n{CALL}", ParsedAnswer(reasoning="Hm.", calls=(("add", '{"a": 2}'),))),
        ("<tool_call>\nno\n</tool_call>", ParsedAnswer(text="<tool_call>\nno\n</tool_call>")),
    ],
)
def test_what_it_says_is_heard(output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = THIRD
    assert parse_answer(adapter, tokenizer, output) == expected
    assert parse_every_split(adapter, output) == {expected}


def test_thinking_is_switched_off() -> None:
    adapter, tokenizer = THIRD
    request = chat_request(QUESTION, template_options=(("enable_thinking", False),))
    prompt = adapter.render(request)
    assert tokenizer.decode(prompt).endswith("<think>\n\n</think>\n")
    (piece,) = adapter.reader(prompt, request).feed("5")
    assert piece.channel == "text"


def test_tools_and_results_are_in_the_prompt() -> None:
    adapter, tokenizer = THIRD
    text = tokenizer.decode(
        adapter.render(chat_request(Message(role="user", content="Hi"), tools=(ADD, NOW)))
    )
    assert '"name": "add"' in text and '"name": "now"' in text
