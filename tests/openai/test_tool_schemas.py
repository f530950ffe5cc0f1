"""Tools, the choice among them, and the form of the answer, as a client sends them."""

import json
from typing import Any

import pytest

from inference.errors import InvalidRequest
from inference.openai.parsing import parse
from inference.openai.schemas import ChatCompletionBody
from inference.requests import ChatRequest, Message, Tool, ToolCall
from tests.openai.asking import chat_body

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
TIME = {"type": "function", "function": {"name": "time", "description": "Tells the time."}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "city", "schema": PARAMETERS, "strict": True}}


def chat(**fields: Any) -> ChatRequest:
    return parse(json.dumps(chat_body(**fields)).encode(), ChatCompletionBody).request()


def refusal(**fields: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        chat(**fields)
    return caught.value.param or ""


def test_it_reads_tools() -> None:
    request = chat(tools=[WEATHER, TIME])
    assert request.tools == (
        Tool(name="weather", parameters=json.dumps(PARAMETERS)),
        Tool(name="time", description="Tells the time."),
    )
    assert (request.must_call, request.may_call_several) == ((), True)


@pytest.mark.parametrize(
    ("choice", "offered", "must"),
    [
        ("auto", 2, ()),
        ("none", 0, ()),
        ("required", 2, ("weather", "time")),
        ({"type": "function", "function": {"name": "time"}}, 2, ("time",)),
    ],
)
def test_it_reads_the_choice_among_them(choice: Any, offered: int, must: tuple[str, ...]) -> None:
    request = chat(tools=[WEATHER, TIME], tool_choice=choice, parallel_tool_calls=False)
    assert (len(request.tools), request.must_call, request.may_call_several) == (offered, must, False)


@pytest.mark.parametrize(
    ("strict", "choice", "follows"),
    [
        (False, "auto", False),
        (True, "auto", True),
        (False, "required", True),
        (False, {"type": "function", "function": {"name": "time"}}, True),
        (True, "none", False),
    ],
)
def test_arguments_follow_schemas_where_asked_or_where_a_call_must_come(
    strict: bool, choice: Any, follows: bool
) -> None:
    weather = {"type": "function", "function": WEATHER["function"] | {"strict": strict}}  # type: ignore[operator]
    assert chat(tools=[TIME, weather], tool_choice=choice).follows_schemas is follows


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [WEATHER, WEATHER]}, "tools.1.function.name"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools.0.custom"),
        ({"tools": [{"type": "custom"}]}, "tools.0.type"),
        ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": "x"}}]},
            "tools.0.function.parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": 5}, "tool_choice"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "time"}}},
            "tool_choice.function.name",
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.type"),
        ({"tools": [WEATHER] * 129}, "tools"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": SCHEMA | {"type": "text"}}, "response_format.json_schema"),
        ({"response_format": SCHEMA | {"json_schema": {"name": "a"}}}, "response_format.json_schema.schema"),
        ({"tools": [WEATHER], "tool_choice": "required", "ignore_eos": True}, "ignore_eos"),
        ({"response_format": SCHEMA, "ignore_eos": True}, "ignore_eos"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"bos_token": "x"}}, "chat_template_kwargs.bos_token"),
        ({"chat_template_kwargs": {"enable_thinking": 1}}, "chat_template_kwargs.enable_thinking"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(i): "" for i in range(17)}}, "metadata"),
        ({"user": "a", "safety_identifier": "b"}, "safety_identifier"),
        ({"user": ""}, "user"),
    ],
)  # fmt: skip
def test_it_refuses_what_it_would_not_do(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields) == param


def test_it_reads_the_form_of_the_answer() -> None:
    assert json.loads(chat(response_format=SCHEMA).schema) == PARAMETERS
    assert json.loads(chat(response_format={"type": "json_object"}).schema) == {"type": "object"}
    assert chat(response_format={"type": "text"}).schema == ""
    assert chat(response_format=SCHEMA, tools=[WEATHER], tool_choice="none").tools == ()


def test_it_reads_a_conversation_with_calls() -> None:
    asked = {"role": "user", "content": "Weather?"}
    called = {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Hm."}
    told = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "Sun"}]}
    assert chat(messages=[asked, called, told]).messages[1:] == (
        Message(
            role="assistant",
            content="",
            tool_calls=(ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}'),),
            reasoning="Hm.",
        ),
        Message(role="tool", content="Sun", tool_call_id="call_1"),
    )


def test_it_reads_who_asks_and_what_templates_know() -> None:
    request = chat(
        user="ann",
        prompt_cache_key="k",
        metadata={"a": "b"},
        reasoning_effort="low",
        chat_template_kwargs={"enable_thinking": False, "clear_thinking": True},
    )
    options = {"reasoning_effort": "low", "enable_thinking": False, "clear_thinking": True}
    assert (request.user, request.cache_key, request.labels) == ("ann", "k", (("a", "b"),))
    assert dict(request.template_options) == options
    assert chat(safety_identifier="bea").user == "bea"
