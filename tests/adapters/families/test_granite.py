"""Granite's control tokens are real; the templates of 3.0 and 3.2 are in short, the others as published."""

from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters import Adapter
from inference.adapters.families.granite import GraniteCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    follows_grammar,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.adapters.published_templates import published
from tests.each import each

TURN = "{{- '<|start_of_role|>' + message.role + '<|end_of_role|>' + message.content + '<|end_of_text|>\n' }}"
OPEN = "{%- if add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}"
TOOLS = """{%- if tools %}
    {{- '<|start_of_role|>available_tools<|end_of_role|>' + tools | tojson(indent=4) + '<|end_of_text|>\n' }}
{%- endif %}"""
THINKING = """{%- if thinking %}
    {{- '<|start_of_role|>system<|end_of_role|>HOW<|end_of_text|>\n' }}
{%- endif %}"""
WORDS = "Use 'Here is my thought process:' and 'Here is my response:'".replace("'", "\\'")
GRANITE_3 = TOOLS + "{%- for message in messages %}" + TURN + "{%- endfor %}" + OPEN
GRANITE_3_0 = (
    TOOLS
    + "{%- for message in messages %}{%- if message.role in ['system', 'user', 'assistant'] %}"
    + TURN
    + "{%- elif message.role == 'tool_response' %}"
    + TURN
    + "{%- endif %}{%- endfor %}"
    + OPEN
)
TOKENS = ("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>")
END = "<|end_of_text|>"
FAMILIES = {
    "3.0": family("granite", GRANITE_3_0, TOKENS, eos=END),
    "3.2": family("granite", THINKING.replace("HOW", WORDS) + GRANITE_3, TOKENS, eos=END),
    "3.3": family("granitemoe", published("granite_3_3"), TOKENS, eos=END),
    "4": family("granitemoehybrid", published("granite_4"), TOKENS, eos=END),
    "4.1": family("granite", published("granite_4_1"), TOKENS, eos=END),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("granite", {END})
    assert findings(adapter, tokenizer) == ()


@each(
    ("model_type", "template", "name"),
    [
        ("granite", "", "granite"),
        ("granite", "<|im_start|>{{ messages[0].content }}<|im_end|>", "default"),  # 4.2 speaks ChatML
        ("llama", GRANITE_3, "default"),
    ],
)
def test_the_template_distinguishes_it_from_others(model_type: str, template: str, name: str) -> None:
    adapter, _ = family(model_type, template, TOKENS)
    assert adapter.name == name


@each(
    ("name", "call", "role"),
    [
        ("3.0", '<|tool_call|>[{"name": "add", "arguments": {"a": 41}}]', "tool_response<|end_of_role|>"),
        ("3.3", '<|tool_call|>[{"name": "add", "arguments": {"a": 41}}]', "tool<|end_of_role|>"),
        ("4", '<tool_call>\n{"name": "add", "arguments": {"a": 41}}\n</tool_call>', "<tool_response>\n"),
    ],
)
def test_calls_and_results_are_written_as_the_model_knows_them(name: str, call: str, role: str) -> None:
    text = prompt_text(*speaking(name), QUESTION, CALLED, RESULT, tools=(ADD,))
    assert f"<|start_of_role|>assistant<|end_of_role|>{call}<|end_of_text|>" in text
    assert f"{role}five" in text


@each("name", FAMILIES)
def test_the_system_is_rendered(name: str) -> None:
    assert "Be brief." in prompt_text(*speaking(name), Message(role="system", content="Be brief."), QUESTION)


def test_it_thinks_where_it_is_asked_to() -> None:
    adapter, tokenizer = speaking("3.3")
    prompt = adapter.render(chat_request(QUESTION, template_options=(("thinking", True),)))
    assert "<think></think>" in tokenizer.decode(prompt)


LIST = '[{"name": "add", "arguments": {"a": 1}}, {"name": "now", "arguments": {}}]'
ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))
THOUGHT = "<think>2+3=5</think>"


@each(
    ("name", "output", "expected"),
    [
        ("3.3", "It is 5.", ParsedAnswer(text="It is 5.")),
        ("3.3", "<response>It is 5.</response>", ParsedAnswer(text="<response>It is 5.</response>")),
        ("3.3", f"{THOUGHT}<response>It is 5.</response>", ParsedAnswer("It is 5.", "2+3=5")),
        ("3.3", f"{THOUGHT}\n<response>It is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("3.3", f"{THOUGHT}Use <response> here", ParsedAnswer("Use <response> here", "2+3=5")),
        (
            "3.3",
            f"{THOUGHT}<response>a<response>b</response>c</response>",
            ParsedAnswer("a<response>bc</response>", "2+3=5"),
        ),
        ("3.3", "<think>hm", ParsedAnswer(reasoning="hm")),
        (
            "3.2",
            "Here is my thought process:\n2+3=5\nHere is my response:\nIt is 5.",
            ParsedAnswer("It is 5.", "2+3=5"),
        ),
        ("3.3", f"<|tool_call|>{LIST}", ParsedAnswer(calls=TWO)),
        ("3.3", f"<tool_call>{LIST}", ParsedAnswer(calls=TWO)),
        ("3.3", f"{THOUGHT}<|tool_call|>{LIST}", ParsedAnswer("", "2+3=5", TWO)),
        ("3.3", "<|tool_call|>none", ParsedAnswer(text="<|tool_call|>none")),
        ("3.3", "<|tool_call|>[]", ParsedAnswer(text="<|tool_call|>[]")),
        (
            "4",
            'See:\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>',
            ParsedAnswer(text="See:", calls=ONE),
        ),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + END) == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


SCRAPS = ("<think>", "</think>", "<response>", "</response>", "<resp", "a", "\n", "<|tool_call|>", "[", "{")


@given(st.lists(st.sampled_from(SCRAPS), max_size=10).map("".join))
@settings(deadline=None)
def test_any_cut_is_heard_alike_and_nothing_but_marks_is_lost(output: str) -> None:
    (only,) = parse_every_split(speaking("3.3")[0], output + "a")
    assert (only.text + only.reasoning).count("a") == output.count("a") + 1


@each(
    ("output", "several", "allowed"),
    [
        (f"<|tool_call|>{LIST}", True, True),
        (f"<|tool_call|>{LIST}", False, False),
        ('<|tool_call|>[{"name": "add", "arguments": {"a": 1}}]', False, True),
        ("<|tool_call|>[]", True, False),
        ("It is 5.", True, False),
    ],
)
def test_the_grammar_allows_its_calls_alone(output: str, several: bool, allowed: bool) -> None:
    assert follows_grammar(speaking("3.3")[1], GraniteCalls, output, several) == allowed
