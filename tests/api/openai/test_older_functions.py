"""`functions`, `function_call` and the role `function`: the older form of tools in /v1/chat/completions."""

from typing import Any

import pytest

from inference.core.errors import InvalidValue
from inference.core.requests import Message, Tool, ToolCall
from tests.api.openai.asking import HELLO, chat, error_of
from tests.api.openai.test_custom_tools import asked, call, calling, refused, streamed
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
NOW = {"name": "now", "description": "Tells the time.", "parameters": {"type": "object"}}
ADD = {"name": "add"}
TOOL = {"type": "function", "function": {"name": "now"}}
CALL = {"name": "now", "arguments": '{"a": 1}'}
CALLED = {"role": "assistant", "content": None, "function_call": CALL}
RESULT = {"role": "function", "name": "now", "content": "noon"}


async def test_functions_are_tools_and_their_call_is_written_in_the_older_form() -> None:
    choice, request = await asked(calling(*call("now", '{"a"', ": 1}")), functions=[NOW, ADD])
    assert request.tools == (
        Tool(name="now", description="Tells the time.", parameters='{"type": "object"}'),
        Tool(name="add"),
    )
    assert (request.must_call, request.may_call_several) == ((), False)
    message = {"role": "assistant", "content": None, "refusal": None, "function_call": CALL}
    assert (choice["message"], choice["finish_reason"]) == (message, "function_call")


async def test_their_call_is_streamed_in_the_older_form() -> None:
    choices = await streamed(calling(*call("now", '{"a"', ": 1}")), functions=[NOW])
    assert [choice["delta"] for choice in choices[1:]] == [
        {"function_call": {"name": "now", "arguments": ""}},
        {"function_call": {"arguments": '{"a"'}},
        {"function_call": {"arguments": ": 1}"}},
        {},
    ]
    assert choices[-1]["finish_reason"] == "function_call"


@pytest.mark.parametrize(
    ("choice", "offered", "must"),
    [
        (None, 2, ()),
        ("auto", 2, ()),
        ("none", 0, ()),
        ({"name": "add"}, 2, ("add",)),
    ],
)
async def test_the_choice_among_functions_reaches_the_model(
    choice: Any, offered: int, must: tuple[str, ...]
) -> None:
    _, request = await asked(functions=[NOW, ADD], function_call=choice)
    assert (len(request.tools), request.must_call, request.follows_schemas) == (offered, must, bool(must))


@pytest.mark.parametrize(
    "fields",
    [
        {"functions": []},
        {"functions": None, "function_call": None},
        {"functions": [], "function_call": "none"},
        {"function_call": "auto"},
        {"functions": [NOW], "tools": []},
        {"functions": [NOW], "tools": None, "tool_choice": "auto", "parallel_tool_calls": False},
        {"functions": [], "tools": [TOOL], "function_call": "auto"},
    ],
)
async def test_forms_that_ask_for_nothing_are_taken(fields: dict[str, Any]) -> None:
    choice, _ = await asked(**fields)
    assert choice["finish_reason"] == "stop"


async def test_an_empty_list_of_functions_leaves_the_newer_form() -> None:
    runner = calling(*call("now", "{}"))
    choice, _ = await asked(runner, functions=[], tools=[TOOL], tool_choice="required")
    assert choice["finish_reason"] == "tool_calls" and "function_call" not in choice["message"]


async def test_a_function_call_and_its_result_are_taken_back() -> None:
    twice = [*HELLO, CALLED, RESULT, CALLED, RESULT | {"content": None}]
    _, request = await asked(messages=twice, functions=[NOW])
    first, second = (message.tool_calls[0] for message in request.messages if message.tool_calls)
    assert first == ToolCall(id=first.id, name="now", arguments='{"a": 1}')
    assert first.id != second.id
    assert request.messages[2] == Message(role="tool", content="noon", name="now", tool_call_id=first.id)
    assert request.messages[4] == Message(role="tool", content="", name="now", tool_call_id=second.id)


async def test_both_forms_may_be_in_one_history() -> None:
    made = {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "a", "content": "3"}
    newer = [{"role": "assistant", "tool_calls": [made]}, result]
    null = {"function_call": None, "tool_calls": None}
    _, request = await asked(messages=[*HELLO, CALLED, RESULT, *newer, HELLO[0] | null], tools=[TOOL])
    assert [message.tool_call_id for message in request.messages if message.role == "tool"][1] == "a"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [NOW], "tools": [TOOL]}, "functions"),
        ({"functions": [NOW], "tool_choice": "required"}, "tool_choice"),
        ({"functions": [NOW], "tool_choice": "none"}, "tool_choice"),
        ({"functions": [NOW], "parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [TOOL], "function_call": {"name": "now"}}, "function_call"),
        ({"tools": [TOOL], "function_call": "none"}, "function_call"),
        ({"functions": [NOW, NOW]}, "functions.1.name"),
        ({"functions": [{"name": "two words"}]}, "functions.0.name"),
        ({"functions": [{}]}, "functions.0.name"),
        ({"functions": [NOW] * 129}, "functions"),
        ({"functions": [NOW], "function_call": {"name": "add"}}, "function_call.name"),
        ({"function_call": {"name": "now"}}, "function_call.name"),
        ({"functions": [NOW], "function_call": "required"}, "function_call"),
        ({"functions": [NOW], "function_call": {"name": "now"}, "ignore_eos": True}, "ignore_eos"),
        ({"messages": [*HELLO, RESULT]}, "messages.1.name"),
        ({"messages": [*HELLO, CALLED, RESULT, RESULT]}, "messages.3.name"),
        ({"messages": [*HELLO, CALLED, RESULT | {"name": "add"}]}, "messages.2.name"),
        ({"messages": [*HELLO, CALLED, {"role": "function", "content": "x"}]}, "messages.2.name"),
        ({"messages": [*HELLO, CALLED, RESULT | {"tool_call_id": "a"}]}, "messages.2.tool_call_id"),
        ({"messages": [HELLO[0] | {"function_call": CALL}]}, "messages.0.function_call"),
        (
            {"messages": [CALLED | {"tool_calls": [TOOL | {"id": "a"}]}]},
            "messages.0.function_call",
        ),
        ({"messages": [CALLED | {"function_call": {}}]}, "messages.0.function_call.name"),
        ({"messages": [CALLED], "continue_final_message": True}, "continue_final_message"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert await refused(**fields) == param


@pytest.mark.parametrize(
    ("param", "sent"),
    [
        ("tools.1.function.parameters", "functions.1.parameters"),
        ("tools", "functions"),
        ("tool_choice.function.name", "function_call.name"),
        ("tool_choice", "function_call"),
    ],
)
async def test_an_error_of_the_model_names_what_was_sent(param: str, sent: str) -> None:
    refusal = InvalidValue("'tool_choice' is not possible here.", param=param)
    with serving(FakeRunner(refuse_with=refusal)):
        response = await chat(functions=[NOW, ADD])
    error = error_of(response)
    assert (error["param"], error["message"]) == (sent, "'function_call' is not possible here.")
