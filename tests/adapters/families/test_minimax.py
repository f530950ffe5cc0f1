"""No package has MiniMax's tokenizer: its control tokens are here, and M2's template as published."""

import llguidance
import llguidance.hf

from inference.adapters.families.minimax import MiniMaxCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, Tool, ToolCall
from tests.adapters.family_models import ADD, NOW, stops
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

BEGIN, END = "<minimax:tool_call>", "</minimax:tool_call>"
TOKENS = ("]~!b[", "]~b]", "[e~[", "<think>", "</think>", BEGIN, END)
FAMILIES = {"m2": family("minimax_m2", published("minimax_m2"), TOKENS, eos="[e~[")}
ADAPTER, TOKENIZER = FAMILIES["m2"]
SYSTEM = Message(role="system", content="Be brief.")
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
CITY = Tool(name="city", parameters='{"properties": {"place": {"type": "string"}}, "required": ["place"]}')


def test_it_is_known_ends_and_is_all_right() -> None:
    assert (ADAPTER.name, stops(ADAPTER, TOKENIZER)) == ("minimax", {"[e~["})
    assert findings(ADAPTER, TOKENIZER) == ()


def test_the_system_the_tools_and_what_they_answered_are_rendered() -> None:
    text = prompt_text(ADAPTER, TOKENIZER, SYSTEM, QUESTION, CALLED, RESULT, tools=(ADD,))
    places = [text.index(word) for word in ("Be brief.", '"add"', "2 and 3?", "Let me see.", "41", "five")]
    assert places == sorted(places)


def test_a_system_message_in_the_middle_joins_the_next_question() -> None:
    text = prompt_text(
        ADAPTER, TOKENIZER, SYSTEM, QUESTION, Message(role="system", content="In French."), QUESTION
    )
    assert "]~b]user\nIn French.\n\n2 and 3?[e~[" in text


def invoke(name: str, **arguments: str) -> str:
    output = "".join(f'<parameter name="{key}">{value}</parameter>\n' for key, value in arguments.items())
    return f'<invoke name="{name}">\n{output}</invoke>\n'


def section(*invokes: str) -> str:
    return f"{BEGIN}\n{''.join(invokes)}{END}"


ADDING = invoke("add", a="1")
ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))


@each(
    ("output", "expected"),
    [
        ("2+3=5\n</think>\n\nIt is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        (f"add\n</think>\n\n{section(ADDING)}", ParsedAnswer(reasoning="add", calls=ONE)),
        (f"</think>See.\n{section(ADDING, invoke('now'))}", ParsedAnswer("See.", calls=TWO)),
        (f"</think>{section(ADDING)}\n{section(invoke('now'))}", ParsedAnswer(calls=TWO)),
        (f"</think>{section(ADDING, invoke('sub'))}", ParsedAnswer(section(ADDING, invoke("sub")))),
        (f"</think>{section('add(1)')}", ParsedAnswer(section("add(1)"))),
        (f"</think>{section()}", ParsedAnswer(section())),
        (f"</think>{BEGIN}\n{ADDING}", ParsedAnswer(calls=ONE)),
        (f"</think>{BEGIN}\n{ADDING[:30]}", ParsedAnswer(f"{BEGIN}\n{ADDING[:30]}")),
        (f"</think>{section(ADDING).replace(chr(34), '')}", ParsedAnswer(calls=ONE)),
        ("It never ends", ParsedAnswer(reasoning="It never ends")),
    ],
)
def test_what_it_says_is_heard(output: str, expected: ParsedAnswer) -> None:
    assert parse_answer(ADAPTER, TOKENIZER, output + "[e~[") == expected
    assert parse_every_split(ADAPTER, output, (ADD, NOW)) == {expected}


def is_allowed(output: str, *, several: bool = True) -> bool:
    grammar = MiniMaxCalls(TOKENIZER).lark([ADD, NOW, CITY], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(TOKENIZER.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = TOKENIZER.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@each("call", [ADDING, invoke("now"), invoke("city", place="<b>\nRome</b>")])
def test_calls_follow_the_grammar(call: str) -> None:
    assert is_allowed(section(call), several=False)
    assert is_allowed(section(call, ADDING))
    assert not is_allowed(section(call, ADDING), several=False)


@each(
    "output",
    ["Hello", section(), section(invoke("add")), section(invoke("add", a="x")), section(invoke("sub")), ""],
)
def test_anything_else_does_not(output: str) -> None:
    assert not is_allowed(output)
