"""Tools, the choice among them, and the form of the answer, as a client sends them."""

import json
from typing import Any

import pytest

from inference.api.http.strict_json import parse
from inference.api.openai.responses.conversation import conversation
from inference.api.openai.schemas import ChatCompletionBody, ResponseBody
from inference.core.errors import InvalidRequest
from inference.core.requests import ChatRequest, Message, Tool, ToolCall
from tests.api.openai.asking import chat_body
from tests.each import each

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
TIME = {"type": "function", "function": {"name": "time", "description": "Tells the time."}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "city", "schema": PARAMETERS, "strict": True}}


def chat(**fields: Any) -> ChatRequest:
    return parse(json.dumps(chat_body(**fields)).encode(), ChatCompletionBody).request()


def response(**fields: Any) -> ResponseBody:
    return parse(json.dumps({"model": "m", **fields}).encode(), ResponseBody)


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


@each(
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


@each(
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


@each(
    ("fields", "param"),
    [
        ({"tools": [WEATHER, WEATHER]}, "tools.1.function.name"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools.0.custom.name"),
        ({"tools": [{"type": "custom"}]}, "tools.0.custom"),
        ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": "x"}}]},
            "tools.0.function.parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": "some"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": 5}, "tool_choice"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "time"}}},
            "tool_choice.function.name",
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        ({"tools": [WEATHER] * 129}, "tools"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": SCHEMA | {"type": "text"}}, "response_format.json_schema"),
        ({"response_format": SCHEMA | {"json_schema": {"name": "a"}}}, "response_format.json_schema.schema"),
        ({"tools": [WEATHER], "tool_choice": "required", "ignore_eos": True}, "ignore_eos"),
        ({"response_format": SCHEMA, "ignore_eos": True}, "ignore_eos"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"enable_thinking": 1}}, "chat_template_kwargs.enable_thinking"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(i): "" for i in range(17)}}, "metadata"),
        ({"user": "a", "safety_identifier": "b"}, "safety_identifier"),
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
    answer = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "Sun"}]}
    assert chat(messages=[asked, called, answer]).messages[1:] == (
        Message(
            role="assistant",
            content="",
            tool_calls=(ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}'),),
            reasoning="Hm.",
        ),
        Message(role="tool", content="Sun", tool_call_id="call_1"),
    )


def test_a_result_belongs_to_the_call_that_it_names() -> None:
    calls = [CALL, {**CALL, "id": "call_2"}]
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("call_2", "call_1")]
    asked = [{"role": "user", "content": "Weather?"}, {"role": "assistant", "tool_calls": calls}, *results]
    read = [(message.content, message.tool_call_id) for message in chat(messages=asked).messages[2:]]
    assert read == [("call_2", "call_2"), ("call_1", "call_1")]


def test_it_reads_the_user_and_the_options_of_templates() -> None:
    request = chat(
        user="ann",
        prompt_cache_key="k",
        metadata={"a": "b"},
        reasoning_effort="low",
        chat_template_kwargs={"enable_thinking": False, "clear_thinking": True},
    )
    assert (request.user, request.cache_key, request.labels) == ("ann", "k", (("a", "b"),))
    assert (request.effort, request.thinking, dict(request.template_options)) == (
        "low",
        False,
        {"clear_thinking": True},
    )
    assert chat(safety_identifier="bea").user == "bea"


@each(
    ("choice", "parallel", "several"),
    [
        ("auto", None, True),
        ("auto", True, True),
        ("auto", False, False),
        ("required", None, False),
        ("required", True, True),
        ("required", False, False),
        ({"type": "function", "function": {"name": "time"}}, None, False),
        ({"type": "function", "function": {"name": "time"}}, True, True),
        ({"type": "function", "function": {"name": "time"}}, False, False),
        (None, None, True),
    ],
)
def test_a_call_that_is_asked_for_is_one_unless_more_are(
    choice: Any, parallel: bool | None, several: bool
) -> None:
    request = chat(tools=[WEATHER, TIME], tool_choice=choice, parallel_tool_calls=parallel)
    assert request.may_call_several is several


def test_it_is_the_same_for_responses() -> None:
    tool = {"type": "function", "name": "time"}
    wishes: list[dict[str, Any]] = [
        {},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "name": "time"}},
        {"tool_choice": "required", "parallel_tool_calls": True},
    ]
    bodies = [response(input="x", tools=[tool], **wish) for wish in wishes]
    assert [body.request(()).may_call_several for body in bodies] == [True, False, False, True]


# What clients send back of a history.

ASKED = {"role": "user", "content": "Weather?"}


def sent_back(function: dict[str, Any], **call: Any) -> ToolCall:
    """The one call of a conversation that has this of it."""
    made = {"id": "a", "type": "function", "function": {"name": "weather"} | function} | call
    messages = [ASKED, {"role": "assistant", "tool_calls": [made]}, {"role": "tool", "content": "Sun"}]
    return chat(messages=messages).messages[1].tool_calls[0]


@each(
    ("function", "arguments"),
    [
        ({"arguments": '{"a": 1}'}, '{"a": 1}'),
        ({"arguments": {"a": [1, "é"]}}, '{"a": [1, "é"]}'),
        ({"arguments": {}}, "{}"),
        ({"arguments": None}, "{}"),
        ({}, "{}"),
        ({"arguments": ""}, ""),
        ({"arguments": '{"a": '}, '{"a": '),
        ({"arguments": "oops"}, "oops"),
    ],
)
def test_arguments_are_taken_in_any_form(function: dict[str, Any], arguments: str) -> None:
    assert sent_back(function).arguments == arguments


@each("arguments", [5, True, [], [{"a": 1}]])
def test_arguments_that_are_neither_text_nor_object_are_refused_by_name(arguments: Any) -> None:
    wrong = CALL | {"function": {"name": "weather", "arguments": arguments}}
    called = {"role": "assistant", "tool_calls": [CALL, wrong]}
    with pytest.raises(InvalidRequest, match="must be a JSON text.*or an object") as caught:
        chat(messages=[ASKED, called])
    assert caught.value.param == "messages.1.tool_calls.1.function.arguments"
    item = {"type": "function_call", "call_id": "a", "name": "weather", "arguments": arguments}
    with pytest.raises(InvalidRequest) as caught:
        response(input=[item])
    assert caught.value.param == "input.0.arguments"


@each("arguments", [{"a": 1}, None, "", '{"a":'])
def test_arguments_of_an_item_are_taken_in_any_form(arguments: Any) -> None:
    item = {"type": "function_call", "call_id": "a", "name": "weather", "arguments": arguments}
    (message,) = conversation([], response(input=[item]), {}).messages
    expected = {None: "{}"}.get(arguments, arguments) if not isinstance(arguments, dict) else '{"a": 1}'
    assert message.tool_calls[0].arguments == expected


@each("content", ["", None, [], [{"type": "text", "text": ""}]])
def test_a_tool_may_have_nothing_to_say(content: Any) -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": content}
    assert chat(messages=[ASKED, called, answer]).messages[2].content == ""
    answer.pop("content")
    assert chat(messages=[ASKED, called, answer]).messages[2].content == ""


@each("content", [None, "", []])
def test_an_assistant_that_calls_need_not_say_anything(content: Any) -> None:
    called = {"role": "assistant", "content": content, "tool_calls": [CALL]}
    assert chat(messages=[ASKED, called]).messages[1].content == ""


@each("role", ["system", "user", "assistant"])
def test_an_empty_list_of_parts_is_an_empty_text(role: str) -> None:
    assert chat(messages=[{"role": role, "content": []}]).messages[0].content == ""


def test_calls_and_results_without_ids_are_matched_in_their_order() -> None:
    first, second = ({"function": {"name": name, "arguments": "{}"}} for name in ("weather", "time"))
    called = {"role": "assistant", "tool_calls": [first, second]}
    results = [{"role": "tool", "content": "Sun"}, {"role": "tool", "content": "noon"}]
    made = chat(messages=[ASKED, called, *results, called, *results]).messages
    ids = [call.id for message in made for call in message.tool_calls]
    assert len(set(ids)) == 4
    assert [message.tool_call_id for message in made if message.role == "tool"] == ids


def test_a_result_without_an_id_answers_the_call_of_its_function() -> None:
    first, second = CALL, CALL | {"id": "call_2", "function": {"name": "time", "arguments": "{}"}}
    results = [{"role": "tool", "name": "time", "content": "noon"}, {"role": "tool", "content": "Sun"}]
    made = chat(messages=[ASKED, {"role": "assistant", "tool_calls": [first, second]}, *results]).messages
    assert [message.tool_call_id for message in made[2:]] == ["call_2", "call_1"]


@pytest.mark.parametrize(
    "result",
    [
        {"role": "tool", "content": "x", "tool_call_id": "of nobody"},
        {"role": "tool", "content": "x", "name": "time"},
    ],
)
def test_a_result_that_answers_no_call_is_refused_by_name(result: Any) -> None:
    called = {"role": "assistant", "tool_calls": [CALL]}
    assert refusal(messages=[ASKED, called, result]) == "messages.2.tool_call_id"
    answered = {"role": "tool", "content": "x"}
    assert refusal(messages=[ASKED, called, answered, answered]) == "messages.3.tool_call_id"
