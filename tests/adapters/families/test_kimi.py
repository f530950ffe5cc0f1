"""No package has Kimi's tokenizer: its control tokens are here, and its template in short."""

import llguidance
import llguidance.hf
import pytest

from inference.adapters import Adapter
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, stops
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

BEGIN, END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
TOKENS = (
    *("[BOS]", "[EOS]", "<|im_end|>", "<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>"),
    *(BEGIN, END, "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"),
    *("<think>", "</think>"),
)
# As K2 0905 has it, in short.
K2 = """{%- if tools %}
    {{- '<|im_system|>tool_declare<|im_middle|>' + (tools | tojson) + '<|im_end|>' }}
{%- endif %}
{%- for message in messages %}
    {%- set role = message.role if message.role in ('user', 'assistant') else 'system' %}
    {{- '<|im_' + role + '|>' + (message.name or message.role) + '<|im_middle|>' }}
    {{- '## Return of ' + message.tool_call_id + '\n' if message.role == 'tool' }}
    {{- message.content }}
    {%- if message.tool_calls %}
        {{- '<|tool_calls_section_begin|>' }}
        {%- for call in message.tool_calls %}
            {{- '<|tool_call_begin|>' + call.id + '<|tool_call_argument_begin|>' }}
            {{- (call.function.arguments | tojson) + '<|tool_call_end|>' }}
        {%- endfor %}
        {{- '<|tool_calls_section_end|>' }}
    {%- endif %}
    {{- '<|im_end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_assistant|>assistant<|im_middle|>' }}{%- endif %}"""
# K2.5 opens the reasoning, unless it is asked not to think.
K2_5 = (
    K2
    + """{%- if add_generation_prompt %}
    {{- '<think></think>' if thinking is defined and not thinking else '<think>' }}
{%- endif %}"""
)
FAMILIES = {
    "k2_first": family("kimi_k2", published("kimi_k2"), TOKENS, eos="[EOS]"),
    "k2": family("kimi_k2", K2, TOKENS, eos="[EOS]"),
    "k2_5": family("kimi_k25", K2_5, TOKENS, eos="[EOS]"),
    "moonlight": family("deepseek_v3", K2, TOKENS, eos="[EOS]"),
}
SYSTEM = Message(role="system", content="Be brief.")


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


def calling(*ids: str) -> Message:
    calls = tuple(ToolCall(id=one, name="add", arguments=f'{{"a": {n}}}') for n, one in enumerate(ids))
    return Message(role="assistant", content="Let me see.", tool_calls=calls)


def answering(call_id: str, content: str) -> Message:
    return Message(role="tool", content=content, tool_call_id=call_id)


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("kimi", {"<|im_end|>", "[EOS]"})
    assert findings(adapter, tokenizer) == ()


def test_the_system_and_the_tools_are_rendered() -> None:
    text = prompt_text(*speaking("k2"), SYSTEM, QUESTION, tools=(ADD,))
    assert text.startswith("<|im_system|>tool_declare<|im_middle|>[")
    assert "<|im_system|>system<|im_middle|>Be brief.<|im_end|><|im_user|>user<|im_middle|>2 and 3?" in text


def test_calls_are_counted_through_the_conversation_whatever_their_ids_were() -> None:
    turns = (
        calling("x", "y"),
        answering("y", "two"),
        answering("x", "one"),
        calling("x"),
        answering("x", "three"),
    )
    text = prompt_text(*speaking("k2"), QUESTION, *turns, tools=(ADD,))
    for count in range(3):
        assert f"<|tool_call_begin|>functions.add:{count}<|tool_call_argument_begin|>" in text
    results = ("add:1\ntwo", "add:0\none", "add:2\nthree")
    places = [
        text.index(f"<|im_system|>add<|im_middle|>## Return of functions.{result}") for result in results
    ]
    assert places == sorted(places)


def test_a_template_that_counts_in_each_turn_has_its_results_counted_so() -> None:
    counting = K2.replace(
        "+ call.id +", "+ 'functions.' + call.function.name + ':' + (loop.index0 | string) +"
    )
    adapter, tokenizer = family("kimi_k2", counting, TOKENS, eos="[EOS]")
    turns = (calling("x"), answering("x", "one"), calling("x"), answering("x", "two"))
    text = prompt_text(adapter, tokenizer, QUESTION, *turns, tools=(ADD,))
    assert [text.count(f"functions.add:{count}") for count in range(2)] == [4, 0]


def test_an_answer_to_nothing_keeps_its_id() -> None:
    assert "## Return of x\nfive" in prompt_text(*speaking("k2"), QUESTION, answering("x", "five"))


@pytest.mark.parametrize(("thinks", "end"), [(True, "<think>"), (False, "<think></think>")])
def test_thinking_is_switched_where_the_template_knows_it(thinks: bool, end: str) -> None:
    adapter, tokenizer = speaking("k2_5")
    prompt = adapter.render(chat_request(QUESTION, template_options=(("thinking", thinks),)))
    assert tokenizer.decode(prompt).endswith("<|im_middle|>" + end)


def call(name: str, arguments: str, count: int = 0, prefix: str = "functions.") -> str:
    return (
        f"<|tool_call_begin|>{prefix}{name}:{count}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
    )


ADDING = call("add", '{"a": 1}')
ONE = (("add", '{"a": 1}'),)


@each(
    ("name", "output", "expected"),
    [
        ("k2", "It is 5.", ParsedAnswer("It is 5.")),
        ("k2", f"{BEGIN}{ADDING}{END}", ParsedAnswer(calls=ONE)),
        (
            "k2",
            f"See.{BEGIN}{ADDING}{call('now', '{}', 1)}{END}",
            ParsedAnswer("See.", calls=(*ONE, ("now", "{}"))),
        ),
        ("k2", f"{BEGIN}{call('add', '{}', 12, '')}{END}", ParsedAnswer(calls=(("add", "{}"),))),
        ("k2", f"<think>add</think>{BEGIN}{ADDING}{END}", ParsedAnswer(reasoning="add", calls=ONE)),
        ("k2", f"{BEGIN}{call('sub', '{}')}{END}", ParsedAnswer(f"{BEGIN}{call('sub', '{}')}{END}")),
        ("k2", f"{BEGIN}{ADDING}{call('sub', '{}')}{END}", ParsedAnswer(call("sub", "{}") + END, calls=ONE)),
        (
            "k2",
            f"{BEGIN}<|tool_call_begin|>functions.add",
            ParsedAnswer(f"{BEGIN}<|tool_call_begin|>functions.add"),
        ),
        (
            "k2",
            f"{BEGIN}{ADDING.removesuffix('1}<|tool_call_end|>')}",
            ParsedAnswer(calls=(("add", '{"a": '),)),
        ),
        ("k2_5", f"add</think>{BEGIN}{ADDING}{END}", ParsedAnswer(reasoning="add", calls=ONE)),
        ("k2_5", "It never ends", ParsedAnswer(reasoning="It never ends")),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "<|im_end|>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def is_allowed(output: str, *, several: bool = True) -> bool:
    adapter, tokenizer = speaking("k2")
    assert adapter.call_format
    grammar = adapter.call_format.lark([ADD, NOW], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def test_calls_follow_the_grammar() -> None:
    assert is_allowed(f"{BEGIN}{ADDING}{END}", several=False)
    assert is_allowed(f"{BEGIN}{ADDING}{call('now', '{}', 17)}{END}")


@each(
    "output",
    [
        "Hello",
        f"{BEGIN}{END}",
        f"{BEGIN}{call('add', '{}')}{END}",
        f"{BEGIN}{call('sub', '{}')}{END}",
        f"{BEGIN}{call('now', '{}', prefix='')}{END}",
        f"{BEGIN}{ADDING}",
    ],
)
def test_anything_else_does_not(output: str) -> None:
    assert not is_allowed(output)


def test_only_one_call_where_only_one_is_wanted() -> None:
    assert not is_allowed(f"{BEGIN}{ADDING}{ADDING}{END}", several=False)
