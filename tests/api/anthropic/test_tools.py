"""Tools in the form of Anthropic: those of clients, with and without a schema, and those of its servers."""

import json
from typing import Any

import pytest

from inference.api.anthropic.schemas import client_tools
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.requests import ChatRequest, Tool
from tests.api.anthropic.asking import asked, read, send
from tests.each import each
from tests.fakes import FakeRunner, serving

SCHEMA = {"type": "object", "properties": {"zone": {"type": "string"}}}
NOW: Any = {"name": "now", "description": "Tells the time.", "input_schema": SCHEMA}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["x.org"]}
BASH = {"type": "bash_20250124", "name": "bash"}
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 10}


@each("fields", [{}, {"type": "custom"}, {"type": None}, {"cache_control": {"type": "ephemeral"}}])
def test_a_tool_is_offered(fields: dict[str, Any]) -> None:
    (tool,) = asked(tools=[NOW | fields]).tools
    assert tool == Tool(name="now", description="Tells the time.", parameters=json.dumps(SCHEMA))


def test_examples_are_read_behind_the_description() -> None:
    (tool,) = asked(tools=[NOW | {"input_examples": [{"zone": "é"}]}]).tools
    assert tool.description == 'Tells the time.\n\nExamples of arguments:\n{"zone": "é"}'


def test_strict_arguments_follow_the_schema() -> None:
    assert not asked(tools=[NOW]).follows_schemas
    assert asked(tools=[NOW | {"strict": True}]).follows_schemas
    assert not asked(tools=[NOW | {"strict": True}], tool_choice={"type": "none"}).follows_schemas


@each(
    ("choice", "called", "several", "follows"),
    [
        (None, (), True, False),
        ({"type": "auto"}, (), True, False),
        ({"type": "auto", "disable_parallel_tool_use": True}, (), False, False),
        ({"type": "any"}, ("now", "bash"), False, True),
        ({"type": "any", "disable_parallel_tool_use": False}, ("now", "bash"), True, True),
        ("auto", (), True, False),
        *((sent, ("now", "bash"), False, True) for sent in ("any", "required", {"type": "required"})),
        ({"type": "tool", "name": "bash"}, ("bash",), False, True),
    ],
)
def test_a_choice_says_what_is_called(choice: Any, called: Any, several: bool, follows: bool) -> None:
    made = asked(tools=[NOW, SEARCH, BASH], tool_choice=choice)
    assert (made.must_call, made.may_call_several, made.follows_schemas) == (called, several, follows)
    assert [tool.name for tool in made.tools] == ["now", "bash"]


def test_none_hides_the_tools() -> None:
    for choice in ("none", {"type": "none"}):
        assert asked(tools=[NOW], tool_choice=choice).tools == ()


@each(
    ("tool", "name", "required"),
    [
        (BASH, "bash", set()),
        ({"type": "bash_20241022", "name": "bash"}, "bash", set()),
        (EDITOR, "str_replace_based_edit_tool", {"command", "path"}),
        (
            {"type": "text_editor_20250124", "name": "str_replace_editor"},
            "str_replace_editor",
            {"command", "path"},
        ),
        ({"type": "memory_20250818", "name": "memory"}, "memory", {"command"}),
        ({"type": "memory_20991231", "name": "memory"}, "memory", {"command"}),
    ],
)
def test_tools_with_a_published_schema_are_offered(
    tool: dict[str, Any], name: str, required: set[str]
) -> None:
    made = read(tools=[tool])
    (offered,) = made.request().tools
    schema = json.loads(offered.parameters)
    assert (offered.name, set(schema["required"])) == (name, required)
    assert offered.description and required <= set(schema["properties"])
    assert list(made.left_out) == []


def test_an_older_editor_can_undo_and_inserts_the_new_string() -> None:
    old, new = (client_tools.tool_of(f"text_editor_{day}", None) for day in ("20241022", "20250728"))
    assert old and new
    fields = [json.loads(tool.parameters)["properties"] for tool in (old, new)]
    assert ["undo_edit" in one["command"]["enum"] for one in fields] == [True, False]
    assert ["insert_text" in one for one in fields] == [False, True]


@each(
    "kind",
    [
        "web_search_20250305",
        "web_fetch_20260209",
        "code_execution_20250825",
        "computer_20250124",
        "mcp_toolset",
        "new",
    ],
)
async def test_other_tools_are_left_out_and_listed(kind: str) -> None:
    runner = FakeRunner()
    with serving(runner):
        response = await send(tools=[NOW, {"type": kind, "name": "x", "any": {"field": 1}}])
    assert response.status_code == 200
    assert response["x-mlx-omitted"] == f"tools.1:{kind}"
    assert "x-mlx-noted" not in response
    (request,) = runner.requests
    assert isinstance(request, ChatRequest) and [tool.name for tool in request.tools] == ["now"]


def test_a_tool_that_is_left_out_cannot_be_forced() -> None:
    with pytest.raises(UnsupportedField, match="own servers") as caught:
        read(tools=[NOW, SEARCH], tool_choice={"type": "tool", "name": "web_search"})
    assert caught.value.param == "tool_choice.name"


@each(
    ("fields", "param"),
    [
        ({"tools": [NOW, BASH, NOW]}, "tools.2.name"),
        ({"tools": [BASH, BASH]}, "tools.1.name"),
        ({"tools": [{"name": "now"}]}, "tools.0.input_schema"),
        ({"tools": [NOW | {"name": "a b"}]}, "tools.0.name"),
        ({"tools": ["now"]}, "tools.0"),
        ({"tools": [NOW], "tool_choice": {"type": "tool", "name": "then"}}, "tool_choice.name"),
        ({"tools": [NOW], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tools": [SEARCH], "tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        *(({"tool_choice": word}, "tool_choice") for word in ("sometimes", "tool", "required", 5)),
        ({"tool_choice": {"type": "sometimes"}}, "tool_choice.type"),
    ],
)
def test_a_wrong_tool_or_choice_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(**fields)
    assert caught.value.param == param
