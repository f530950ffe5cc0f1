"""DeepSeek V3's tokenizer is its own, cut down; the templates are here in short, with their faults."""

from collections.abc import Callable

import llguidance
import llguidance.hf
import pytest

from inference.adapters import Adapter
from inference.adapters.families.deepseek import DeepSeekCalls, FencedCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, real, stops
from tests.adapters.parsed_answers import QUESTION, ParsedAnswer, parse_answer, parse_every_split, prompt_text
from tests.adapters.published_templates import published
from tests.each import each
from tests.tiny import CHATML

SYSTEM_FIRST = """{{- bos_token }}
{%- for message in messages if message.role == 'system' %}{{- message.content }}{%- endfor %}"""
# As V3 and R1 have it, in short: a turn with calls has no text, and no end if it has one call.
V3 = (
    SYSTEM_FIRST
    + """{%- set ns = namespace(is_first=false, is_tool=false) %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {%- set ns.is_tool = false %}{{- '<｜User｜>' + message.content }}
    {%- elif message.role == 'assistant' and message.content is none %}
        {%- for call in message.tool_calls %}
            {{- '<｜tool▁call▁begin｜>function<｜tool▁sep｜>' + call.function.name }}
            {{- '\n```json\n' + call.function.arguments + '\n```<｜tool▁call▁end｜>' }}
        {%- endfor %}
    {%- elif message.role == 'assistant' %}
        {{- '<｜tool▁outputs▁end｜>' if ns.is_tool else '<｜Assistant｜>' }}
        {{- message.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}
        {%- set ns.is_tool = false %}
    {%- elif message.role == 'tool' %}
        {{- '<｜tool▁outputs▁begin｜>' if not ns.is_tool }}
        {{- '<｜tool▁output▁begin｜>' + message.content + '<｜tool▁output▁end｜>' }}
        {%- set ns.is_tool = true %}
    {%- endif %}
{%- endfor %}
{{- '<｜tool▁outputs▁end｜>' if ns.is_tool }}
{%- if add_generation_prompt and not ns.is_tool %}{{- '<｜Assistant｜>' }}{%- endif %}"""
)
R1 = V3.replace("{{- '<｜Assistant｜>' }}{%- endif", "{{- '<｜Assistant｜><think>\n' }}{%- endif")
# As V3.1 has it, in short.
V3_1 = (
    "{%- if thinking is not defined %}{%- set thinking = false %}{%- endif %}"
    + SYSTEM_FIRST
    + """{%- set ns = namespace(is_tool=false, is_asked=false) %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '<｜User｜>' + message.content }}
        {%- set ns.is_tool = false %}{%- set ns.is_asked = true %}
    {%- elif message.role == 'assistant' %}
        {{- '<｜Assistant｜></think>' if ns.is_asked }}{{- message.content }}
        {%- for call in message.tool_calls or [] %}
            {{- '<｜tool▁sep｜>' + call.function.arguments }}
        {%- endfor %}
        {{- '<｜end▁of▁sentence｜>' }}
        {%- set ns.is_tool = false %}{%- set ns.is_asked = false %}
    {%- elif message.role == 'tool' %}
        {{- '<｜tool▁output▁begin｜>' + message.content + '<｜tool▁output▁end｜>' }}
        {%- set ns.is_tool = true %}{%- set ns.is_asked = false %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt and ns.is_asked and not ns.is_tool %}
    {{- '<｜Assistant｜>' + ('<think>' if thinking else '</think>') }}
{%- endif %}"""
)
TOKENS = (
    *(
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<think>",
        "</think>",
    ),
    *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
    *(
        "<｜tool▁outputs▁begin｜>",
        "<｜tool▁outputs▁end｜>",
        "<｜tool▁output▁begin｜>",
        "<｜tool▁output▁end｜>",
    ),
    "<｜tool▁sep｜>",
)
FAMILIES = {
    "v3": real("deepseek_v3", "deepseek_v3", V3),
    "r1": real("deepseek_v3", "deepseek_v3", R1),
    "r1_distill": real("deepseek_v3", "llama", published("deepseek_r1")),
    "v3_1": real("deepseek_v3", "deepseek_v3", V3_1),
    "v3_1_published": real("deepseek_v3", "deepseek_v3", published("deepseek_v3_1")),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
SYSTEM = Message(role="system", content="Be brief.")
BEGIN, END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"


def plain(name: str, arguments: str) -> str:
    return f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>"


def fenced(name: str, arguments: str) -> str:
    return f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>"


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("deepseek", {"<｜end▁of▁sentence｜>"})
    assert findings(adapter, tokenizer) == ()


@pytest.mark.parametrize("template", [CHATML, "{{ messages[0].content }}<｜Assistant｜>"])
def test_a_template_without_its_marks_of_calls_is_not_its_own(template: str) -> None:
    adapter, _ = real("deepseek_v3", "deepseek_v3", template)
    assert adapter.name == "default"


@each(("name", "format_of"), [("v3", FencedCalls), ("r1", FencedCalls), ("v3_1", DeepSeekCalls)])
def test_calls_are_in_the_form_of_its_template(name: str, format_of: type[DeepSeekCalls]) -> None:
    adapter, _ = speaking(name)
    assert type(adapter.call_format) is format_of


@each("name", FAMILIES)
def test_the_tools_follow_the_system_in_tokens(name: str) -> None:
    adapter, tokenizer = speaking(name)
    prompt = adapter.render(chat_request(SYSTEM, QUESTION, tools=(ADD, NOW)))
    text = tokenizer.decode(prompt)
    assert "<｜begin▁of▁sentence｜>Be brief.\n\n## Tools\n" in text
    assert text.index("### add\nDescription: Adds.") < text.index("### now") < text.index("<｜User｜>")
    assert tokenizer.id_of(BEGIN) in prompt


def test_without_tools_nothing_is_written() -> None:
    assert prompt_text(*speaking("v3"), SYSTEM, QUESTION).startswith(
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>"
    )


@pytest.mark.parametrize(
    ("name", "call", "outputs"),
    [
        (
            "v3",
            fenced,
            "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>five<｜tool▁output▁end｜><｜tool▁outputs▁end｜>",
        ),
        ("v3_1", plain, "<｜tool▁output▁begin｜>five<｜tool▁output▁end｜>"),
    ],
)
def test_a_turn_with_calls_is_written_as_the_model_generated_it(
    name: str, call: Callable[[str, str], str], outputs: str
) -> None:
    two = Message(
        role="assistant", content="See.", tool_calls=(CALL, ToolCall(id="c2", name="now", arguments="{}"))
    )
    text = prompt_text(*speaking(name), QUESTION, CALLED, RESULT, two, RESULT, tools=(ADD, NOW))
    one = call("add", CALL.arguments)
    assert (
        f"Let me see.{BEGIN}{one}{END}<｜end▁of▁sentence｜>{outputs.removesuffix('<｜tool▁outputs▁end｜>')}"
        in text
    )
    joint = "\n" if name == "v3" else ""
    both = one + joint + call("now", "{}")
    assert text.endswith(f"See.{BEGIN}{both}{END}<｜end▁of▁sentence｜>{outputs}")


def test_marks_in_arguments_do_not_end_the_turn() -> None:
    adapter, tokenizer = speaking("v3_1")
    call = ToolCall(id="c1", name="add", arguments='{"a": "<｜end▁of▁sentence｜>"}')
    prompt = adapter.render(
        chat_request(QUESTION, Message(role="assistant", content="", tool_calls=(call,)), RESULT)
    )
    assert [prompt.count(token) for token in adapter.stop_ids] == [1]
    assert '{"a": "<｜end▁of▁sentence｜>"}' in tokenizer.decode(prompt)


@pytest.mark.parametrize(
    ("thinks", "end"), [(True, "<｜Assistant｜><think>"), (False, "<｜Assistant｜></think>")]
)
def test_v3_1_is_switched_between_thinking_and_not(thinks: bool, end: str) -> None:
    adapter, tokenizer = speaking("v3_1")
    prompt = adapter.render(chat_request(QUESTION, template_options=(("thinking", thinks),)))
    thinking = adapter.reasoning_state(prompt)
    assert tokenizer.decode(prompt).endswith(end)
    assert thinking and (thinking.is_open, thinking.is_closed) == (thinks, not thinks)


ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))
FENCED, PLAIN = fenced("add", '{"a": 1}'), plain("add", '{"a": 1}')


@each(
    ("name", "output", "expected"),
    [
        ("v3", "It is 5.", ParsedAnswer(text="It is 5.")),
        ("v3", f"{BEGIN}{FENCED}{END}", ParsedAnswer(calls=ONE)),
        (
            "v3",
            f"Let me see.\n\n{BEGIN}{FENCED}\n{fenced('now', '{}')}{END}",
            ParsedAnswer("Let me see.", calls=TWO),
        ),
        ("v3", f"{BEGIN}{fenced('sub', '{}')}{END}", ParsedAnswer(text=f"{BEGIN}{fenced('sub', '{}')}{END}")),
        ("v3", BEGIN + FENCED[:30], ParsedAnswer(text=BEGIN + FENCED[:30])),
        ("r1", "2+3=5\n</think>\n\nIt is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("r1", f"add\n</think>\n\n{BEGIN}{FENCED}{END}", ParsedAnswer(reasoning="add", calls=ONE)),
        ("r1", "It never ends", ParsedAnswer(reasoning="It never ends")),
        ("v3_1", f"{BEGIN}{PLAIN}{plain('now', '{}')}{END}", ParsedAnswer(calls=TWO)),
        ("v3_1", f"See.{BEGIN}{PLAIN}{END}", ParsedAnswer("See.", calls=ONE)),
        ("v3_1", f"{BEGIN}{plain('add', '1')}{END}", ParsedAnswer(text=f"{BEGIN}{plain('add', '1')}{END}")),
        (
            "v3_1",
            f"{BEGIN}{PLAIN}{plain('sub', '{}')}{END}",
            ParsedAnswer(text=plain("sub", "{}") + END, calls=ONE),
        ),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "<｜end▁of▁sentence｜>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_a_thinking_v3_1_is_heard_too() -> None:
    adapter, _ = speaking("v3_1")
    request = chat_request(QUESTION, tools=(ADD,), template_options=(("thinking", True),))
    pieces = adapter.reader(adapter.render(request), request).feed(f"add</think>{BEGIN}{PLAIN}{END}")
    assert [(piece.channel, piece.text) for piece in pieces] == [
        ("reasoning", "add"),
        ("tool", ""),
        ("tool", '{"a": 1}'),
    ]


def is_allowed(name: str, output: str, *, several: bool = True) -> bool:
    adapter, tokenizer = speaking(name)
    assert adapter.call_format
    grammar = adapter.call_format.lark([ADD, NOW], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@each(
    ("name", "output", "is_one"),
    [
        ("v3", f"{BEGIN}{FENCED}{END}", True),
        ("v3", f"\n\n{BEGIN}{FENCED}\n{FENCED}{END}", False),
        ("v3_1", f"{BEGIN}{PLAIN}{END}", True),
        ("v3_1", f"{BEGIN}{PLAIN}{PLAIN}{END}", False),
    ],
)
def test_calls_follow_the_grammar(name: str, output: str, is_one: bool) -> None:
    assert is_allowed(name, output)
    assert is_allowed(name, output, several=False) is is_one


@each(
    ("name", "output"),
    [
        ("v3", "Hello"),
        ("v3", f"{BEGIN}{END}"),
        ("v3", f"{BEGIN}{PLAIN}{END}"),
        ("v3", f"{BEGIN}{fenced('add', '{}')}{END}"),
        ("v3_1", f"{BEGIN}{FENCED}{END}"),
        ("v3_1", f"{BEGIN}{plain('sub', '{}')}{END}"),
    ],
)
def test_anything_else_does_not(name: str, output: str) -> None:
    assert not is_allowed(name, output)
