"""Command R+'s tokenizer is its own, cut down; R7B's control tokens are real; templates are here in short."""

import pytest

from inference.adapters import Adapter, ModelFacts, adapter_for
from inference.adapters.families.command_r import Actions
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, hub_tokenizer, real, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    follows_grammar,
    matches_grammar,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.each import each

OPEN = "{%- if add_generation_prompt %}{{- '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{%- endif %}"
ROLES = "{%- set roles = {'user': 'USER', 'assistant': 'CHATBOT', 'system': 'SYSTEM', 'tool': 'SYSTEM'} %}"
TURN = """{{- '<|START_OF_TURN_TOKEN|><|' + roles[message.role] + '_TOKEN|>' }}
    {{- message.content + '<|END_OF_TURN_TOKEN|>' }}"""
RESPONSE = """{{- '<|START_OF_TURN_TOKEN|><|' + roles[message.role] + '_TOKEN|>' }}
    {%- set is_own = message.role == 'assistant' %}
    {{- '<|START_RESPONSE|>' if is_own }}{{- message.content }}{{- '<|END_RESPONSE|>' if is_own }}
    {{- '<|END_OF_TURN_TOKEN|>' }}"""
# The three that Command R+ names; the one for tools takes them in Cohere's own form and fails on OpenAI's.
COMMAND_R = {
    "default": "{{- bos_token }}"
    + ROLES
    + """{%- for message in messages if message.role != 'system' %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
{%- endfor %}
{%- for message in messages if message.role in ['system', 'user', 'assistant'] %}"""
    + TURN
    + "{%- endfor %}"
    + OPEN,
    "tool_use": "{%- for tool in tools %}{{- 'def ' + tool.name + '(' }}"
    "{%- for name, of in tool.parameter_definitions.items() %}{{- name }}{%- endfor %}{%- endfor %}",
    "rag": "{%- for document in documents %}{{- document.text }}{%- endfor %}",
}
R7B = {
    "default": "{{- bos_token }}"
    + ROLES
    + "{%- for message in messages if not message.tool_calls and message.role != 'tool' %}"
    + RESPONSE
    + "{%- endfor %}"
    + OPEN,
    "tool_use": "{{- bos_token }}"
    + ROLES
    + """{{- '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|># Available Tools\n' + tools | tojson }}
{{- '<|END_OF_TURN_TOKEN|>' }}
{%- for message in messages %}
    {%- if message.tool_calls %}
        {{- '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|>' + message.tool_plan }}
        {{- '<|END_THINKING|><|START_ACTION|>[\n' }}
        {%- for call in message.tool_calls %}
            {{- '    {"tool_call_id": "' + loop.index0 | string + '", "tool_name": "' }}
            {{- call.function.name + '", "parameters": ' + call.function.arguments | tojson + '}' }}
            {{- ',\n' if not loop.last else '\n' }}
        {%- endfor %}
        {{- ']<|END_ACTION|><|END_OF_TURN_TOKEN|>' }}
    {%- elif message.role == 'tool' %}
        {{- '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|><|START_TOOL_RESULT|>[{"results": {"0": ' }}
        {{- message.content | tojson + '}}]<|END_TOOL_RESULT|><|END_OF_TURN_TOKEN|>' }}
    {%- else %}"""
    + RESPONSE
    + "{%- endif %}{%- endfor %}"
    + OPEN,
}
SPECIAL = (
    *("<BOS_TOKEN>", "<EOS_TOKEN>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
    *("<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>"),
)
ORDINARY = (
    *("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_THINKING|>", "<|END_THINKING|>"),
    *("<|START_ACTION|>", "<|END_ACTION|>", "<|START_TOOL_RESULT|>", "<|END_TOOL_RESULT|>"),
)
END = "<|END_OF_TURN_TOKEN|>"


def naming(templates: dict[str, str], tokenizer: HubTokenizer) -> tuple[Adapter, HubTokenizer]:
    """The adapter of a model whose tokenizer_config.json names several templates."""
    tokenizer.hub.chat_template = templates
    facts = ModelFacts(config={"model_type": "cohere2"}, chat_template=templates["default"])
    return adapter_for(facts, tokenizer), tokenizer


def later() -> HubTokenizer:
    tokenizer = hub_tokenizer(None, SPECIAL, bos_token="<BOS_TOKEN>")
    tokenizer.hub.add_tokens(list(ORDINARY))  # as in R7B's own, they are not special
    return HubTokenizer(tokenizer.hub)


FAMILIES = {
    "command_r": naming(COMMAND_R, real("command_r_plus", "cohere", COMMAND_R["default"])[1]),
    "r7b": naming(R7B, later()),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", reasoning="First add.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
SYSTEM = Message(role="system", content="Be brief.")


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@pytest.mark.parametrize(
    ("name", "ends"),
    # R7B writes this before the end of its turn, so an answer that is a response ends with it.
    [("command_r", {END, "<EOS_TOKEN>"}), ("r7b", {END, "<EOS_TOKEN>", "<|END_RESPONSE|>"})],
)
def test_it_is_known_and_has_its_ends(name: str, ends: set[str]) -> None:
    adapter, tokenizer = speaking(name)
    assert (adapter.name, stops(adapter, tokenizer)) == ("command_r", ends)


@pytest.mark.parametrize(("name", "found"), [("command_r", [("amber", "tools")]), ("r7b", [])])
def test_nothing_about_it_is_red(name: str, found: list[tuple[str, str]]) -> None:
    assert [(one.light, one.about) for one in findings(*speaking(name))] == found


@pytest.mark.parametrize("name", FAMILIES)
def test_tools_calls_and_results_are_rendered_in_their_order(name: str) -> None:
    text = prompt_text(*speaking(name), SYSTEM, QUESTION, CALLED, RESULT, tools=(NOW, ADD))
    places = [text.index(part) for part in ('"now"', "2 and 3?", "Let me see.", "41", "five")]
    assert places == sorted(places)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_system_is_rendered(name: str) -> None:
    assert "Be brief." in prompt_text(*speaking(name), SYSTEM, QUESTION)


def test_the_text_beside_a_call_is_its_plan() -> None:
    text = prompt_text(*speaking("r7b"), QUESTION, CALLED, RESULT, tools=(ADD,))
    assert "<|START_THINKING|>First add.\nLet me see.<|END_THINKING|><|START_ACTION|>[" in text


def test_neighbours_of_one_role_are_joined() -> None:
    text = prompt_text(*speaking("command_r"), SYSTEM, QUESTION, Message(role="user", content="quick"))
    assert f"<|USER_TOKEN|>2 and 3?\n\nquick{END}" in text


def test_calls_without_tools_are_refused_where_the_plain_template_leaves_them_out() -> None:
    adapter, _ = speaking("r7b")
    with pytest.raises(Exception, match="does not render tool calls"):
        adapter.render(chat_request(QUESTION, CALLED, RESULT))


ACTION = '{"tool_call_id": "0", "tool_name": "add", "parameters": {"a": 1}}'
NEXT = '{"tool_call_id": "1", "tool_name": "now", "parameters": {}}'
LIST = f"<|START_ACTION|>[\n    {ACTION},\n    {NEXT}\n]<|END_ACTION|>"
THOUGHT = "<|START_THINKING|>2+3=5<|END_THINKING|>"
ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))


@each(
    ("name", "output", "expected"),
    [
        ("command_r", "It is 5.", ParsedAnswer("It is 5.")),
        (
            "command_r",
            '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>',
            ParsedAnswer(calls=ONE),
        ),
        ("r7b", "It is 5.", ParsedAnswer("It is 5.")),
        ("r7b", f"{THOUGHT}It is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("r7b", f"{THOUGHT}{LIST}", ParsedAnswer("", "2+3=5", TWO)),
        ("r7b", f"<|START_ACTION|>[{ACTION}]<|END_ACTION|>", ParsedAnswer(calls=ONE)),
        (
            "r7b",
            '<|START_ACTION|>[{"tool_name": "add", "parameters": {"a": 1}}]<|END_ACTION|>',
            ParsedAnswer(calls=ONE),
        ),
        ("r7b", "<|START_THINKING|>hm", ParsedAnswer(reasoning="hm")),
        (
            "r7b",
            f"<|START_ACTION|>[{ACTION.replace('add', 'sub')}]<|END_ACTION|>",
            ParsedAnswer(f"<|START_ACTION|>[{ACTION.replace('add', 'sub')}]<|END_ACTION|>"),
        ),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + END) == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_the_marks_of_a_response_are_no_text() -> None:
    output = f"{THOUGHT}<|START_RESPONSE|>It is 5.<|END_RESPONSE|>{END}"
    assert parse_answer(*speaking("r7b"), output) == ParsedAnswer("It is 5.", "2+3=5")
    assert parse_answer(*speaking("r7b"), output, ()) == ParsedAnswer("It is 5.", "2+3=5")


@each(
    ("output", "several", "allowed"),
    [
        (LIST, True, True),
        (LIST, False, False),
        (f"<|START_ACTION|>[\n    {ACTION}\n]<|END_ACTION|>", False, True),
        (f"<|START_ACTION|>[\n    {ACTION.replace('1', 'true')}\n]<|END_ACTION|>", True, False),
        ("<|START_ACTION|>[\n]<|END_ACTION|>", True, False),
        ("It is 5.", True, False),
    ],
)
def test_the_grammar_allows_its_calls_alone(output: str, several: bool, allowed: bool) -> None:
    assert follows_grammar(speaking("r7b")[1], Actions, output, several) == allowed


@pytest.mark.parametrize("output", ["5", "<|START_RESPONSE|>5<|END_RESPONSE|>"])
def test_an_answer_of_a_schema_may_stand_in_its_marks(output: str) -> None:
    adapter, tokenizer = speaking("r7b")
    assert matches_grammar(tokenizer, f'start: {adapter.answer_rule("five")}\nfive: "5"\n', output)


def test_without_such_marks_it_stands_alone() -> None:
    adapter, _ = speaking("command_r")
    assert adapter.answer_rule("five") == "five"
