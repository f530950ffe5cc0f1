"""Arguments of a history, however a client sends them back: every family's template can show them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.adapters import Adapter
from inference.adapters.chat_template.call_arguments import object_of
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.families import (
    test_command_r,
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_gpt_oss,
    test_granite,
    test_kimi,
    test_llama4,
    test_minimax,
    test_mistral,
    test_phi,
    test_qwen,
)
from tests.adapters.family_models import ADD, LLAMA_TOOLS, chat_request, make, real
from tests.each import each
from tests.tiny import CHATML

VALUES = st.recursive(
    st.text('a"\\{}[],:é\n ', max_size=5) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text('ab"\\é', max_size=3), VALUES, max_size=3)


@each(
    ("given", "meant"),
    [
        ("", {}),
        (" \n", {}),
        ("null", {}),
        ("[]", {}),
        ('""', {}),
        ('"{}"', {}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        (json.dumps(json.dumps(json.dumps({"a": "b"}))), {"a": "b"}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2, ], }', {"a": [1, 2]}),
        ('{"a": ",}"}', {"a": ",}"}),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ("{'a': 'b', 'c': True}", {"a": "b", "c": True}),
        ('{"a": {"b": "c', {"a": {"b": "c"}}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b": tr', {"a": 1}),
        ('{"a": [1, ', {"a": [1]}),
        ('{"a": "\\u00', {"a": ""}),
        ('{"a": "b\\', {"a": "b"}),
        ("{", {}),
        ('{"a": 1 "b": 2}', {"arguments": '{"a": 1 "b": 2}'}),
        ('{"a": 1}{"a": 2}', {"arguments": '{"a": 1}{"a": 2}'}),
        ("now", {"arguments": "now"}),
        ("[1, 2]", {"arguments": "[1, 2]"}),
        ("7", {"arguments": "7"}),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}),
    ],
)
def test_they_are_understood(given: str, meant: Any) -> None:
    assert json.loads(object_of(given)) == meant


def test_an_object_stays_as_it_was_written() -> None:
    assert object_of('{"b":1, "a":  1.50}') == '{"b":1, "a":  1.50}'


@given(OBJECTS, st.data())
def test_a_cut_object_is_the_beginning_of_what_it_was(arguments: dict[str, Any], data: st.DataObject) -> None:
    output = json.dumps(arguments)
    cut = data.draw(st.integers(1, len(output)))
    assert is_beginning(json.loads(object_of(output[:cut])), arguments)


def is_beginning(part: Any, whole: Any) -> bool:
    """Whether nothing stands in a part that is not in the whole, but for a text or a number that was cut."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_beginning(one, whole[key]) for key, one in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_beginning, part, whole))
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    is_number = not isinstance(part, bool) and isinstance(part, int) and isinstance(whole, int)
    return part == whole or (is_number and str(whole).startswith(str(part)))


@given(st.text('{}[]",:\\ab1 \n', max_size=30))
def test_whatever_it_is_an_object_comes_of_it(output: str) -> None:
    assert isinstance(json.loads(object_of(output)), dict)


@each(
    "output",
    [
        '{"a":' * 90_000,
        "[" * 90_000,
        '{"a' + "a" * 500_000,
        '"' * 200_001,
        "{" + " , " * 200_000,
        "\\" * 200_001,
    ],
)
def test_a_long_one_is_read_in_time(output: str) -> None:
    assert isinstance(json.loads(object_of(output)), dict)


# Every family.

_MODULES = (
    *(test_command_r, test_deepseek, test_deepseek_dsml, test_gemma, test_glm, test_granite, test_kimi),
    *(test_llama4, test_minimax, test_mistral, test_phi, test_qwen),
)
FAMILIES: dict[str, tuple[Adapter, HubTokenizer]] = {
    f"{module.__name__.rpartition('test_')[2]} {name}": found
    for module in _MODULES
    for name, found in module.FAMILIES.items()
}
FAMILIES["gpt_oss"] = (test_gpt_oss.ADAPTER, test_gpt_oss.TOKENIZER)
FAMILIES["llama3_2"] = real("llama3_2", "llama", LLAMA_TOOLS)
FAMILIES["chatml, in words"] = make(CHATML)
SENT_BACK = [
    "",
    "null",
    '"{\\"a\\": 41}"',
    '{"a": 41,}',
    '{"a": 41, "b": "c',
    '{"a',
    "{",
    '{"a": 41 "b"}',
    "now",
    "[41]",
]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_template_shows_what_was_sent_back(name: str, subtests: pytest.Subtests) -> None:
    for arguments in SENT_BACK:
        with subtests.test(arguments):
            check_shown(*FAMILIES[name], arguments)


def check_shown(adapter: Adapter, tokenizer: HubTokenizer, arguments: str) -> None:
    call = ToolCall(id="call_0123456789abcdef01234567", name="add", arguments=arguments)
    text = tokenizer.decode(
        adapter.render(
            chat_request(
                Message(role="user", content="2 and 3?"),
                Message(role="assistant", content="", tool_calls=(call,)),
                Message(role="tool", content="five", tool_call_id=call.id, name="add"),
                tools=(ADD,),
            )
        )
    )
    assert text.index("add") < text.index("five")
    assert ("41" in text) == ("41" in arguments)
    assert not any(broken in text for broken in ('"arguments": }', '"parameters": }', '"arguments": ,'))
