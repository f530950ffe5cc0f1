"""Phi's templates are here as they are published, which is short (MIT); their control tokens are real."""

from inference.adapters import Adapter
from inference.adapters.families.phi import Functools, PhiCalls
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

EACH = "{% for message in messages %}"
OPEN = "{% if add_generation_prompt %}{{ '<|assistant|>'NL }}{% else %}{{ eos_token }}{% endif %}"
# Phi-3.5-mini-instruct
PHI_3 = (
    EACH
    + "{% if message['role'] == 'system' and message['content'] %}"
    + "{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    + "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    + "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}"
    + "{% endif %}{% endfor %}"
    + OPEN.replace("NL", " + '\n'")
)
# phi-4
PHI_4 = (
    EACH
    + "{{ '<|im_start|>' + message['role'] + '<|im_sep|>' + message['content'] + '<|im_end|>' }}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}"
)
# Phi-4-mini-instruct
PHI_4_MINI = (
    EACH
    + "{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}"
    + "{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' }}"
    + "{{ '<|end|>' }}{% else %}"
    + "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    + OPEN.replace("NL", "")
)
# As vLLM's has it, in short.
FUNCTOOLS = (
    "{% if tools %}{{ '<|system|>prefix calls with functools' + tools | tojson + '<|end|>' }}{% endif %}"
    + EACH
    + "{{ '<|' + message.role + '|>' + message.content }}"
    + "{% if message.tool_calls %}"
    + "{{ 'functools' + message.tool_calls | map(attribute='function') | list | tojson }}{% endif %}"
    + "{{ '<|end|>' }}{% endfor %}"
    + OPEN.replace("NL", "")
)
TOKENS_3 = ("<s>", "<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
TOKENS_4 = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_sep|>")
TOKENS_MINI = (
    *("<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"),
    *("<|tool|>", "<|/tool|>", "<|tool_call|>", "<|/tool_call|>", "<|tool_response|>"),
)
END = "<|endoftext|>"
FAMILIES = {
    "phi3": family("phi3", published("phi_3_5"), TOKENS_3, eos=END),
    "phi4": family("phi3", PHI_4, TOKENS_4, eos=END),
    "phi4_mini": family("phi3", PHI_4_MINI, TOKENS_MINI, eos=END),
    "functools": family("phi3", FUNCTOOLS, TOKENS_MINI, eos=END),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": "<|end|>"}')
CALLED = Message(role="assistant", content="", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@each(
    ("name", "ends"),
    [
        ("phi3", {"<|end|>", END}),
        ("phi4", {"<|im_end|>", END}),
        ("phi4_mini", {"<|end|>", END}),
        ("functools", {"<|end|>", END}),
    ],
)
def test_it_is_known_and_has_all_its_ends(name: str, ends: set[str]) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("phi", ends)


def test_a_model_without_a_template_ends_too() -> None:
    adapter, tokenizer = family("phi3", "", TOKENS_3)
    assert (adapter.name, stops(adapter, tokenizer)) == ("phi", {"<|end|>", END})


def test_a_fine_tune_that_speaks_otherwise_is_what_its_template_is() -> None:
    adapter, _ = family("phi3", EACH + "<|im_start|>{{ message.content }}<|im_end|>{% endfor %}", TOKENS_4)
    assert adapter.name == "default"


@each("name", FAMILIES)
def test_nothing_about_it_is_red(name: str) -> None:
    found = [(finding.light, finding.about) for finding in findings(*speaking(name))]
    assert found == ([("amber", "tools")] if name in {"phi3", "phi4"} else [])


@each("name", FAMILIES)
def test_system_tools_calls_and_results_are_rendered_in_their_order(name: str) -> None:
    system = Message(role="system", content="Be brief.")
    text = prompt_text(*speaking(name), system, QUESTION, CALLED, RESULT, tools=(NOW, ADD))
    assert [part for part in ("Be brief.", '"now"', "2 and 3?", "five") if part not in text] == []
    assert text.index('"now"') < text.index("2 and 3?") < text.index("five")


def test_tools_are_in_the_system_message() -> None:
    text = prompt_text(*speaking("phi4_mini"), QUESTION, tools=(NOW,))
    tools = '[{"name": "now", "description": "", "parameters": {'
    assert text.startswith(f"<|system|>You are a helpful assistant with some tools.<|tool|>{tools}")
    assert text.endswith("}]<|/tool|><|end|><|user|>2 and 3?<|end|><|assistant|>")


def test_a_call_is_written_in_the_models_own_marks_and_its_result_has_a_role() -> None:
    text = prompt_text(*speaking("phi4_mini"), QUESTION, CALLED, RESULT, tools=(ADD,))
    call = '<|tool_call|>[{"name": "add", "arguments": {"a": "<|end|>"}}]<|/tool_call|>'
    assert text.endswith(f"<|assistant|>{call}<|end|><|tool_response|>five<|end|><|assistant|>")


def test_marks_in_arguments_end_no_turn() -> None:
    adapter, tokenizer = speaking("phi4_mini")
    prompt = adapter.render(chat_request(QUESTION, CALLED, RESULT, tools=(ADD,)))
    assert [tokenizer.token_text(token) for token in prompt].count("<|end|>") == 4


LIST = '[{"name": "add", "arguments": {"a": 1}}, {"name": "now", "arguments": {}}]'
ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))


@each(
    ("name", "output", "expected"),
    [
        ("phi3", "It is 5.<|end|>", ParsedAnswer(text="It is 5.")),
        ("phi4", "<think>2+3=5</think>It is 5.<|im_end|>", ParsedAnswer(text="<think>2+3=5</think>It is 5.")),
        ("phi4_mini", f"<|tool_call|>{LIST}<|/tool_call|><|end|>", ParsedAnswer(calls=TWO)),
        (
            "phi4_mini",
            'See: <|tool_call|>{"name": "add", "arguments": {"a": 1}}<|/tool_call|><|end|>',
            ParsedAnswer(text="See:", calls=ONE),
        ),
        ("phi4_mini", f"<|tool_call|>{LIST}<|end|>", ParsedAnswer(calls=TWO)),
        (
            "phi4_mini",
            "<|tool_call|>[add]<|/tool_call|>",
            ParsedAnswer(text="<|tool_call|>[add]<|/tool_call|>"),
        ),
        ("functools", f"functools{LIST}<|end|>", ParsedAnswer(calls=TWO)),
        ("functools", "functools are tools", ParsedAnswer(text="functools are tools")),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output) == expected
    body = output.removesuffix("<|end|>").removesuffix("<|im_end|>")
    assert parse_every_split(adapter, body, (ADD, NOW)) == {expected}


def test_phi_4_reasoning_says_in_its_template_how_it_thinks() -> None:
    adapter, tokenizer = family("phi3", PHI_4 + "{# <think> {thoughts} </think> #}", TOKENS_4)
    assert parse_answer(adapter, tokenizer, "<think>2+3=5</think>It is 5.") == ParsedAnswer(
        "It is 5.", "2+3=5"
    )


def test_phi_4_mini_reasoning_thinks_though_nothing_of_it_says_so() -> None:
    instructions = "{{ '<|system|>Your name is Phi, an AI math expert developed by Microsoft.<|end|>' }}"
    adapter, tokenizer = family("phi3", instructions + PHI_4_MINI, TOKENS_MINI, eos=END)
    assert parse_answer(adapter, tokenizer, "<think>2+3=5</think>It is 5.") == ParsedAnswer(
        "It is 5.", "2+3=5"
    )


@each(
    ("format_of", "output", "several", "allowed"),
    [
        (PhiCalls, f"<|tool_call|>{LIST}<|/tool_call|>", True, True),
        (PhiCalls, f"<|tool_call|>{LIST}<|/tool_call|>", False, False),
        (PhiCalls, f"<|tool_call|>{LIST}", True, False),
        (PhiCalls, "<|tool_call|>[]<|/tool_call|>", True, False),
        (Functools, f"functools{LIST}", True, True),
        (Functools, "functools[]", True, False),
    ],
)
def test_the_grammar_allows_its_calls_alone(
    format_of: type[PhiCalls], output: str, several: bool, allowed: bool
) -> None:
    assert follows_grammar(speaking("phi4_mini")[1], format_of, output, several) == allowed
