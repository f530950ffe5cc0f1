"""Custom tools and allowed_tools of /v1/chat/completions."""

import json
from typing import Any

import pytest

from inference.core.errors import InvalidValue
from inference.core.events import Accepted, Ended, Event, Finished, TextDelta, ToolCallDelta, Usage
from inference.core.requests import ChatRequest, ToolCall
from tests.api.openai.asking import HELLO, chat, chunks, error_of
from tests.fakes import EventRunner, FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
ENDED: list[Event] = [Ended(reason="tool_calls"), Finished(usage=Usage(prompt_tokens=1))]
NOW = {"type": "function", "function": {"name": "now"}}
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "a"+'}}
PATCH = {"type": "custom", "custom": {"name": "patch", "description": "Edits files.", "format": GRAMMAR}}
PLAIN = {"type": "custom", "custom": {"name": "plain"}}
NAMED = {"type": "custom", "custom": {"name": "patch"}}


def calling(*deltas: Event) -> EventRunner:
    return EventRunner(Accepted(prompt_tokens=1), *deltas, *ENDED)


def call(name: str, *pieces: str, number: int = 0, index: int = 0) -> list[Event]:
    first = ToolCallDelta(call=number, id=f"call_{number}", name=name, index=index)
    return [first, *(ToolCallDelta(call=number, text=text, index=index) for text in pieces)]


async def asked(runner: FakeRunner | None = None, **body: Any) -> tuple[dict[str, Any], ChatRequest]:
    """The first choice of the answer to a body, and what the model was asked."""
    runner = runner or FakeRunner()
    with serving(runner):
        response = await chat(**body)
    assert response.status_code == 200, response.content
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest)
    return json.loads(response.content)["choices"][0], request


async def streamed(runner: FakeRunner, **body: Any) -> list[dict[str, Any]]:
    with serving(runner):
        response = await chat(stream=True, **body)
        assert response.status_code == 200
        return [choice for chunk in await chunks(response) for choice in chunk["choices"]]


async def refused(**body: Any) -> str | None:
    with serving(FakeRunner()):
        response = await chat(**body)
    assert response.status_code == 400, response.content
    param: str | None = error_of(response)["param"]
    return param


async def test_a_custom_tool_is_a_function_with_one_text() -> None:
    _, request = await asked(tools=[PATCH, PLAIN, NOW])
    patch, plain, _ = request.tools
    assert (patch.name, plain.name, plain.description) == ("patch", "plain", "")
    assert patch.description == 'Edits files.\n\nThe input follows this lark grammar:\nstart: "a"+'
    assert (patch.input_syntax, patch.input_definition) == ("lark", 'start: "a"+')
    assert (plain.input_syntax, plain.input_definition) == ("", "")
    assert json.loads(patch.parameters)["required"] == ["input"]
    assert (request.must_call, request.follows_schemas, request.may_call_several) == ((), False, True)


async def test_its_call_has_the_input_and_a_functions_call_its_arguments() -> None:
    deltas = [*call("patch", '{"input": "*** A\\n\\u00e9"}'), *call("now", "{}", number=1)]
    choice, _ = await asked(calling(*deltas), tools=[PATCH, NOW])
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [
        {"id": "call_0", "type": "custom", "custom": {"name": "patch", "input": "*** A\né"}},
        {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]


async def test_its_input_is_streamed_as_it_is_written() -> None:
    pieces = ('{"inp', 'ut": "*** A\\', "n\\u00e9", "\\ud83d", '\\ude00"', "}")
    choices = await streamed(calling(*call("patch", *pieces)), tools=[PATCH])
    deltas = [choice["delta"]["tool_calls"][0] for choice in choices[1:-1]]
    assert deltas == [
        {"index": 0, "id": "call_0", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 0, "custom": {"input": "*** A"}},
        {"index": 0, "custom": {"input": "\né"}},
        {"index": 0, "custom": {"input": "😀"}},
    ]
    assert (choices[-1]["delta"], choices[-1]["finish_reason"]) == ({}, "tool_calls")


async def test_calls_of_several_answers_are_streamed_side_by_side() -> None:
    first = call("patch", '{"input": "a', '"}', index=0)
    second = call("patch", '{"input": "b', '"}', index=1)
    both = [delta for pair in zip(first, second, strict=True) for delta in pair]
    choices = await streamed(calling(*both, *call("now", "{}", number=1)), tools=[PATCH, NOW], n=2)
    answer: dict[tuple[int, int], str] = {}
    for choice in choices:
        for entry in choice["delta"].get("tool_calls", ()):
            text = entry["custom"]["input"] if "custom" in entry else entry["function"]["arguments"]
            answer[choice["index"], entry["index"]] = answer.get((choice["index"], entry["index"]), "") + text
    assert answer == {(0, 0): "a", (1, 0): "b", (0, 1): "{}"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"patch": "x"}', "x"), ("x", "x"), ("{}", ""), ('{"a": 1, "b": 2}', '{"a": 1, "b": 2}'), ('"x"', "x")],
)
async def test_arguments_of_another_form_are_its_input_all_the_same(arguments: str, text: str) -> None:
    runner = calling(*call("patch", arguments), *call("plain", arguments, number=1))
    choice, _ = await asked(runner, tools=[PATCH, PLAIN])
    assert [one["custom"]["input"] for one in choice["message"]["tool_calls"]] == [text, text]
    answer = ["", ""]
    for streamed_choice in await streamed(runner, tools=[PATCH, PLAIN]):
        for entry in streamed_choice["delta"].get("tool_calls", ()):
            answer[entry["index"]] += entry["custom"]["input"]
    assert answer == [text, text]


@pytest.mark.parametrize("leaves_out_type", [False, True])
async def test_a_custom_call_and_its_result_are_taken_back(leaves_out_type: bool) -> None:
    made: dict[str, Any] = {"id": "a", "type": "custom", "custom": {"name": "patch", "input": 'x"\n'}}
    if leaves_out_type:
        made.pop("type")
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "a", "content": "Done."},
    ]
    _, request = await asked(messages=messages, tools=[PATCH])
    assert request.messages[1].tool_calls == (
        ToolCall(id="a", name="patch", arguments='{"input": "x\\"\\n"}'),
    )
    assert (request.messages[2].tool_call_id, request.messages[2].content) == ("a", "Done.")


async def test_a_custom_tool_can_be_forced() -> None:
    _, request = await asked(tools=[NOW, PATCH], tool_choice=NAMED)
    assert (request.must_call, request.follows_schemas) == (("patch",), True)
    assert request.may_call_several is False


@pytest.mark.parametrize(
    ("mode", "allowed", "offered", "must"),
    [
        ("auto", [NOW], ["now"], ()),
        ("auto", [NAMED, NOW], ["now", "patch"], ()),
        ("required", [NAMED], ["patch"], ("patch",)),
        ("required", [PATCH, NOW], ["now", "patch"], ("now", "patch")),
    ],
)
async def test_only_allowed_tools_are_offered(
    mode: str, allowed: list[Any], offered: list[str], must: tuple[str, ...]
) -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": allowed}}
    _, request = await asked(tools=[PLAIN, NOW, PATCH], tool_choice=choice)
    assert [tool.name for tool in request.tools] == offered
    assert (request.must_call, request.follows_schemas) == (must, mode == "required")


async def test_a_strict_tool_that_is_not_allowed_asks_for_nothing() -> None:
    strict = {"type": "function", "function": {"name": "strict", "strict": True}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NOW]}}
    _, request = await asked(tools=[strict, NOW], tool_choice=choice)
    assert request.follows_schemas is False


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [PATCH, PATCH]}, "tools.1.custom.name"),
        ({"tools": [PLAIN, {"type": "function", "function": {"name": "plain"}}]}, "tools.1.function.name"),
        ({"tools": [{"type": "custom", "custom": {"name": "two words"}}]}, "tools.0.custom.name"),
        (
            {"tools": [{"type": "custom", "custom": {"name": "a", "format": {"type": "grammar"}}}]},
            "tools.0.custom.format.grammar",
        ),
        (
            {"tools": [{"type": "custom", "custom": {"name": "a", "format": GRAMMAR | {"type": "text"}}}]},
            "tools.0.custom.format.grammar",
        ),
        (
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {"name": "a", "format": {"type": "grammar", "grammar": {"syntax": "ebnf"}}},
                    }
                ]
            },
            "tools.0.custom.format.grammar.syntax",
        ),
        ({"tools": [PATCH], "ignore_eos": True}, "ignore_eos"),
        ({"tools": [NOW], "tool_choice": NAMED}, "tool_choice.custom.name"),
        (
            {"tools": [NOW], "tool_choice": {"type": "custom", "custom": {"name": "now"}}},
            "tool_choice.custom.name",
        ),
        (
            {"tools": [PATCH], "tool_choice": {"type": "function", "function": {"name": "patch"}}},
            "tool_choice.function.name",
        ),
        *(
            ({"tools": [NOW], "tool_choice": {"type": "allowed_tools", "allowed_tools": allowed}}, param)
            for allowed, param in (
                ({"mode": "auto", "tools": [NOW, NAMED]}, "tool_choice.allowed_tools.tools.1.custom.name"),
                ({"mode": "auto", "tools": []}, "tool_choice.allowed_tools.tools"),
                ({"mode": "any", "tools": [NOW]}, "tool_choice.allowed_tools.mode"),
                ({"mode": "auto", "tools": [{"type": "mcp"}]}, "tool_choice.allowed_tools.tools.0.type"),
                ({"tools": [NOW]}, "tool_choice.allowed_tools.mode"),
            )
        ),
        (
            {"messages": [*HELLO, {"role": "assistant", "tool_calls": [{"type": "custom", "id": "a"}]}]},
            "messages.1.tool_calls.0.custom",
        ),
        (
            {"messages": [*HELLO, {"role": "assistant", "tool_calls": [{"type": "mcp", "id": "a"}]}]},
            "messages.1.tool_calls.0.type",
        ),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert await refused(**fields) == param


@pytest.mark.parametrize(
    ("param", "sent"),
    [
        ("tools.0.function.parameters", "tools.1.function.parameters"),
        ("tools.1.function.parameters", "tools.2.custom.format"),
        ("tools.1.function.name", "tools.2.custom.name"),
        ("tools.1", "tools.2"),
    ],
)
async def test_an_error_of_the_model_names_the_tool_that_was_sent(param: str, sent: str) -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NOW, NAMED]}}
    with serving(FakeRunner(refuse_with=InvalidValue("No.", param=param))):
        response = await chat(tools=[PLAIN, NOW, PATCH], tool_choice=choice)
    assert error_of(response)["param"] == sent


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_grammar_that_cannot_be_enforced_is_listed(is_streamed: bool) -> None:
    accepted = Accepted(prompt_tokens=1, best_effort=("tools.1.function.parameters",))
    with serving(EventRunner(accepted, TextDelta(text="Hi"), *ENDED)):
        response = await chat(tools=[NOW, PATCH], stream=is_streamed)
    assert response["x-mlx-best-effort"] == "tools.1.custom.format"
