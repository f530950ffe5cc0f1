"""The request of a question: its settings are validated once, and the branch becomes messages as it is."""

from typing import Any

import pytest

from inference.core import requests
from inference.core.errors import InvalidValue
from inference.core.requests import ToolCall
from playground.chat_request import model_messages, validated, with_conversation
from playground.models import Message
from tests.each import each


def message_of(role: str, content: str = "", calls: list[dict[str, str]] | None = None) -> Message:
    return Message(role=role, content=content, calls=calls or [])


def user(content: str) -> requests.Message:
    return requests.Message(role="user", content=content)


def test_a_branch_is_read_from_its_first_message() -> None:
    branch = [message_of("user", "one"), message_of("assistant", "two"), message_of("user", "three")]
    assert model_messages(branch) == [
        user("one"),
        requests.Message(role="assistant", content="two"),
        user("three"),
    ]


def test_a_question_that_was_never_answered_is_left_out() -> None:
    branch = [message_of("user", "one"), message_of("assistant"), message_of("user", "three")]
    assert model_messages(branch) == [user("three")]


def test_messages_of_one_role_become_one() -> None:
    branch = [message_of("user", "one"), message_of("user", "two"), message_of("assistant", "three")]
    assert model_messages([*branch, message_of("assistant", "four")]) == [
        user("one\n\ntwo"),
        requests.Message(role="assistant", content="three\n\nfour"),
    ]


def test_results_of_calls_are_messages_of_the_branch() -> None:
    calls = [
        {"id": "a", "name": "now", "arguments": "{}", "result": "noon"},
        {"id": "b", "name": "now", "arguments": "{}"},
    ]
    assert model_messages([message_of("user", "Hi"), message_of("assistant", calls=calls)]) == [
        user("Hi"),
        requests.Message(
            role="assistant",
            content="",
            tool_calls=tuple(ToolCall(id=call, name="now", arguments="{}") for call in "ab"),
        ),
        requests.Message(role="tool", content="noon", tool_call_id="a"),
        requests.Message(role="tool", content="No result was given.", tool_call_id="b"),
    ]


@each(("system", "instructions"), [(" Be brief. ", ["Be brief."]), (" ", []), ("", [])])
def test_the_system_prompt_comes_first(system: str, instructions: list[str]) -> None:
    request = with_conversation(validated({"model": "tiny"}), system, [message_of("user", "Hi")])
    assert [(message.role, message.content) for message in request.messages] == [
        *(("system", content) for content in instructions),
        ("user", "Hi"),
    ]


def test_the_settings_of_the_question_stay() -> None:
    question = {"model": "tiny", "seed": 5, "top_k": 3, "stop": ["END"], "max_tokens": 7}
    request = with_conversation(validated(question), "", [message_of("user", "Hi")])
    assert (request.model, request.sampling.seed, request.sampling.top_k) == ("tiny", 5, 3)
    assert (request.stop, request.max_tokens, request.n) == (("END",), 7, 1)


@each(
    ("question", "param"),
    [({}, "model"), ({"model": "tiny", "n": 2}, "n"), ({"model": "tiny", "top_p": 2}, "top_p")],
)
def test_a_wrong_question_is_refused_by_its_field(question: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        validated(question)
    assert refusal.value.param == param
