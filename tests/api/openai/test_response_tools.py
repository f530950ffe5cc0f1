"""Namespaces, custom tools, hosted tools and allowed_tools of /v1/responses."""

import json
from typing import Any

import pytest

from inference.api.openai.schemas.offered_tools import flat_name
from inference.core.errors import InvalidValue
from inference.core.events import Accepted, Ended, Event, ToolCallDelta
from inference.core.requests import ToolCall
from tests.api.openai.asking import error_of
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import ENDED, NOW, SAID, made, post, refused, streamed, telling
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = {"type": "function", "name": "search", "parameters": {"type": "object"}, "strict": False}
GITHUB = {"type": "namespace", "name": "mcp__github__", "description": "Issues.", "tools": [SEARCH]}
JIRA = GITHUB | {"name": "jira"}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"+'}
ALLOWED = {"type": "allowed_tools"}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": GRAMMAR}
CALLED: list[Event] = [Ended(reason="tool_calls"), ENDED[1]]


def calling(name: str, *pieces: str) -> list[Event]:
    first = ToolCallDelta(call=0, id="call_a", name=name)
    return [first, *(ToolCallDelta(call=0, text=text) for text in pieces), *CALLED]


# Namespaces.


async def test_a_namespaces_tools_are_functions_to_the_model() -> None:
    answer, request = await made(telling(*SAID, *ENDED), tools=[NOW, GITHUB, JIRA])
    assert [tool.name for tool in request.tools] == ["now", "mcp__github__search", "jira__search"]
    assert request.tools[1].description == "Issues."
    again = SEARCH | {"name": "again", "description": "More."}
    _, request = await made(telling(*SAID, *ENDED), tools=[GITHUB | {"tools": [SEARCH, again]}])
    assert [tool.description for tool in request.tools] == ["Issues.", "More."]
    assert answer["tools"][1] == GITHUB | {"tools": [SEARCH | {"description": None}]}
    check_response(answer)


async def test_a_call_has_the_clients_own_names() -> None:
    runner = telling(*calling("jira__search", "{}"))
    answer, _ = await made(runner, tools=[GITHUB, JIRA])
    (call,) = answer["output"]
    assert (call["name"], call["namespace"], call["arguments"]) == ("search", "jira", "{}")
    events = await streamed(runner, tools=[GITHUB, JIRA])
    items = [event["item"] for event in events if "item" in event]
    assert [(item["name"], item["namespace"]) for item in items] == [("search", "jira")] * 2
    (done,) = [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert done["name"] == "search"


async def test_a_call_sent_back_has_the_name_that_the_model_knows() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "search", "namespace": "jira", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "a", "output": "none"}
    _, request = await made(telling(*SAID, *ENDED), input=[call, result], tools=[JIRA])
    assert request.messages[0].tool_calls == (ToolCall(id="a", name="jira__search", arguments="{}"),)
    custom = {"type": "custom_tool_call", "call_id": "a", "name": "edit", "namespace": "jira", "input": "x"}
    _, request = await made(telling(*SAID, *ENDED), input=[custom, result], tools=[JIRA])
    assert request.messages[0].tool_calls[0].name == "jira__edit"


@each("kind", ["named", "allowed"])
async def test_a_tool_is_meant_within_its_namespace(kind: str) -> None:
    named = {"type": "function", "name": "search", "namespace": "jira"}
    choice = named if kind == "named" else {"type": "allowed_tools", "mode": "required", "tools": [named]}
    _, request = await made(telling(*SAID, *ENDED), tools=[GITHUB, JIRA], tool_choice=choice)
    assert request.must_call == ("jira__search",)


@pytest.mark.parametrize(
    ("name", "namespace"), [("a.b", None), ("x" * 80, None), ("b", "a c"), ("b" * 40, "a" * 40), ("é", "é")]
)
def test_flat_names_follow_the_pattern_and_differ(name: str, namespace: str | None) -> None:
    flat = flat_name(name, namespace)
    assert flat == flat_name(name, namespace) != flat_name(f"{name}_", namespace)
    assert len(flat) <= 64 and flat.replace("_", "").replace("-", "").isascii()


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([JIRA, JIRA], "tools.1.tools.0.name"),
        ([JIRA, NOW | {"name": "jira__search"}], "tools.1.name"),
        ([GITHUB | {"tools": [{"type": "namespace", "name": "x", "tools": []}]}], "tools.0.tools.0.type"),
        ([PATCH | {"format": {"type": "grammar", "syntax": "lark"}}], "tools.0.format.definition"),
        ([PATCH | {"format": {"type": "text", "syntax": "lark"}}], "tools.0.format.syntax"),
        ([PATCH | {"format": GRAMMAR | {"syntax": "ebnf"}}], "tools.0.format.syntax"),
    ],
)
async def test_a_wrong_tool_is_named(tools: list[Any], param: str) -> None:
    assert await refused(tools=tools) == (400, param)


# Custom tools.


async def test_a_custom_tool_is_a_function_with_one_text() -> None:
    answer, request = await made(telling(*SAID, *ENDED), tools=[PATCH, {"type": "custom", "name": "plain"}])
    patch, plain = request.tools
    assert (patch.name, plain.name) == ("apply_patch", "plain")
    assert patch.description.startswith("Edits files.") and 'start: "a"+' in patch.description
    assert json.loads(patch.parameters)["required"] == ["input"]
    assert [tool["format"] for tool in answer["tools"]] == [GRAMMAR, {"type": "text"}]
    check_response(answer)


async def test_its_call_is_an_item_of_its_own_whole_and_streamed() -> None:
    runner = telling(
        *calling("apply_patch", '{"inp', 'ut": "*** A\\', "n\\u00e9", "\\ud83d", '\\ude00"', "}")
    )
    answer, _ = await made(runner, tools=[PATCH])
    (call,) = answer["output"]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "apply_patch", "*** A\né😀")
    check_response(answer)
    events = await streamed(runner, tools=[PATCH])
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[2:] == [
        "output_item.added",
        *["custom_tool_call_input.delta"] * 3,
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.get("delta", "") for event in events) == call["input"] == events[-3]["input"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"patch": "x"}', "x"), ("x", "x"), ("{}", ""), ('{"a": 1, "b": 2}', '{"a": 1, "b": 2}'), ('"x"', "x")],
)
async def test_arguments_of_another_form_are_its_input_all_the_same(arguments: str, text: str) -> None:
    answer, _ = await made(telling(*calling("apply_patch", arguments)), tools=[PATCH])
    assert answer["output"][0]["input"] == text


async def test_a_custom_call_and_its_result_are_taken_back() -> None:
    items = [
        {"type": "custom_tool_call", "call_id": "a", "name": "apply_patch", "input": 'x"\n', "id": "ctc_1"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "Done."},
    ]
    _, request = await made(telling(*SAID, *ENDED), input=items, tools=[PATCH])
    (call,) = request.messages[0].tool_calls
    assert (call.name, json.loads(call.arguments)) == ("apply_patch", {"input": 'x"\n'})
    assert (request.messages[1].role, request.messages[1].content) == ("tool", "Done.")


# Tools that are left out.


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "web_search",
            "web_search_preview_2025_03_11",
            "file_search",
            "code_interpreter",
            "mcp",
            "computer",
        ),
        *("image_generation", "local_shell", "shell", "apply_patch", "tool_search", "computer"),
        "computer_use_preview",
    ],
)
async def test_a_hosted_tool_is_left_out_and_listed(kind: str) -> None:
    runner = telling(*SAID, *ENDED)
    hosted = {"type": kind, "server_label": "x", "external_web_access": False, "container": {"type": "auto"}}
    with serving(runner):
        response = await post({"input": "Hi", "tools": [NOW, hosted]})
    assert response.status_code == 200, response.content
    assert response["x-mlx-omitted"] == f"tools.1:{kind}"
    assert "x-mlx-noted" not in response
    assert [tool["type"] for tool in json.loads(response.content)["tools"]] == ["function"]
    assert [tool.name for tool in runner.requests[0].tools] == ["now"]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["web_search_preview", "mcp", "shell", "apply_patch", "code_interpreter"])
async def test_a_hosted_tool_that_has_to_be_called_is_refused(kind: str) -> None:
    choice = {"type": kind, "server_label": "x"}
    assert await refused(tools=[NOW, {"type": kind}], tool_choice=choice) == (400, "tool_choice.type")


# allowed_tools.


async def test_only_allowed_tools_are_offered() -> None:
    allowed = [{"type": "function", "name": "now"}, {"type": "namespace", "name": "jira"}]
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [*allowed, {"type": "web_search"}]}
    runner = telling(*SAID, *ENDED)
    with serving(runner):
        response = await post({"input": "Hi", "tools": [GITHUB, JIRA, PATCH, NOW], "tool_choice": choice})
    (request,) = runner.requests
    assert [tool.name for tool in request.tools] == ["jira__search", "now"]  # type: ignore[union-attr]
    assert request.must_call == ()  # type: ignore[union-attr]
    assert response["x-mlx-omitted"] == "tool_choice.tools.2:web_search"
    answer = json.loads(response.content)
    assert answer["tool_choice"] == choice and len(answer["tools"]) == 4
    check_response(answer)


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "x"}]},
            "tool_choice.tools.0.name",
        ),
        (
            {"type": "allowed_tools", "mode": "any", "tools": [{"type": "function", "name": "now"}]},
            "tool_choice.mode",
        ),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}, "tool_choice"),
        ({"type": "custom", "name": "other"}, "tool_choice.name"),
        ({"type": "function", "name": "search", "namespace": "other"}, "tool_choice.name"),
    ],
)
async def test_a_choice_of_what_is_not_there_is_refused(choice: dict[str, Any], param: str) -> None:
    assert await refused(tools=[NOW, JIRA, GITHUB], tool_choice=choice) == (400, param)


async def test_a_tool_of_a_namespace_can_be_forced() -> None:
    choice = {"type": "function", "name": "search", "namespace": "jira"}
    _, request = await made(telling(*SAID, *ENDED), tools=[GITHUB, JIRA], tool_choice=choice)
    assert request.must_call == ("jira__search",)


async def test_an_error_of_the_model_names_the_tool_that_was_sent() -> None:
    runner = FakeRunner(refuse_with=InvalidValue("No.", param="tools.1.function.parameters"))
    with serving(runner):
        response = await post({"input": "Hi", "tools": [{"type": "web_search"}, NOW, JIRA]})
    assert error_of(response)["param"] == "tools.2.tools.0.parameters"


async def test_tools_that_are_added_in_the_input_are_offered() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [JIRA, {"type": "mcp"}]}
    runner = telling(*SAID, *ENDED)
    with serving(runner):
        response = await post({"input": [added, {"role": "user", "content": "Hi"}], "tools": [NOW]})
    assert response["x-mlx-omitted"] == "input.0.tools.1:mcp"
    assert [tool.name for tool in runner.requests[0].tools] == ["now", "jira__search"]  # type: ignore[union-attr]


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_what_the_model_only_tries_or_has_no_use_for_is_listed(is_streamed: bool) -> None:
    effort = ("tools.1.function.parameters",)
    accepted = Accepted(prompt_tokens=1, noted=("reasoning_effort",), best_effort=effort)
    body = {"input": "Hi", "tools": [{"type": "web_search"}, NOW, PATCH], "stream": is_streamed}
    with serving(EventRunner(accepted, *SAID, *ENDED)):
        response = await post(body | {"reasoning": {"effort": "low"}})
    assert response["x-mlx-best-effort"] == "tools.2.format"
    assert response["x-mlx-noted"] == "reasoning.effort"


async def test_a_call_cannot_be_required_where_every_tool_is_left_out() -> None:
    with serving(FakeRunner()):
        response = await post({"input": "Hi", "tools": [{"type": "web_search"}], "tool_choice": "required"})
    error = error_of(response)
    assert (response.status_code, error["param"]) == (400, "tool_choice")
    assert "tools that can be offered" in error["message"]
